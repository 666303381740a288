package conference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"admitone/rooms"
)

// liveKit is the kind "livekit": a token for one person in one room, handed to
// the page that joins with it. Two visits of one admission are one participant
// there: the second takes the place of the first.
type liveKit struct {
	key    string
	secret []byte
	socket string // ws(s), for the page
	api    string // http(s), up to the method's name
	join   string
	origin string
	asker
}

const (
	liveKitToken = 2 * time.Minute
	// liveKitKept is how long the token lasts that the server itself gives to
	// whoever is inside, to connect again with.
	liveKitKept = 10 * time.Minute
)

func newLiveKit(raw json.RawMessage) (Provider, error) {
	var c struct {
		head
		URL     string `json:"url"`
		Key     string `json:"key"`
		Secret  string `json:"secret"`
		JoinURL string `json:"join_url"`
	}
	if err := members(raw, &c); err != nil {
		return nil, err
	}
	u, err := address("url", c.URL, "wss")
	if err != nil {
		return nil, err
	}
	if err := oneWord("key", c.Key); err != nil {
		return nil, err
	}
	if err := oneWord("secret", c.Secret); err != nil {
		return nil, err
	}
	if err := guarded("secret", c.Secret, u); err != nil {
		return nil, err
	}
	p := &liveKit{key: c.Key, secret: []byte(c.Secret), socket: u.String(), join: c.JoinURL, asker: newAsker()}
	u.Scheme = "http" + strings.TrimPrefix(u.Scheme, "ws")
	p.api = u.String() + "/twirp/livekit.RoomService/"
	for _, placeholder := range []string{"{url}", "{token}"} {
		if !strings.Contains(c.JoinURL, placeholder) {
			return nil, fmt.Errorf("join_url lacks %s: the page needs it to join", placeholder)
		}
	}
	page, err := written("join_url", c.JoinURL, p.fill("token"))
	if err != nil {
		return nil, err
	}
	if page.Scheme != "https" && !loopback(page.Hostname()) {
		return nil, errors.New("join_url needs https: tokens would travel in the open")
	}
	p.origin = origin(page)
	return p, nil
}

func (p *liveKit) Origin() string { return p.origin }

// Lasts is as long as a token of the server's own lasts, also of a server that
// keeps no account of tokens taken back.
func (p *liveKit) Lasts(Visit) time.Duration { return liveKitKept }

// JoinLink makes the room first, so that nobody is sent to a server that is down
// or does not know us, and a server that makes no rooms by itself has this one.
func (p *liveKit) JoinLink(ctx context.Context, v Visit) (string, error) {
	var made struct {
		Name string `json:"name"`
	}
	found, err := p.call(ctx, v.At, "CreateRoom", map[string]any{"roomCreate": true}, map[string]any{"name": v.Place}, &made)
	if err != nil {
		return "", err
	}
	if !found || made.Name != v.Place {
		return "", fmt.Errorf("%w: it does not make the room", ErrUnreachable)
	}
	// What is missing there counts as allowed, so each is said.
	token, err := p.token(v.At, expiry(v), jwt.MapClaims{
		"sub": v.Admission.Show(rooms.AdmissionPrefix), "name": v.Name,
		"video": map[string]any{
			"room": v.Place, "roomJoin": true, "roomAdmin": v.Role == "host",
			"canPublish": true, "canPublishData": true, "canPublishSources": []string{"camera", "microphone", "screen_share", "screen_share_audio"},
			"canSubscribe": true, "canSubscribeMetrics": false, "canUpdateOwnMetadata": false,
		},
	})
	if err != nil {
		return "", err
	}
	return p.fill(token), nil
}

// Remove also takes back the tokens of before, where the server keeps account of
// that. Without the moment it would take back those of the next minute too, and
// so keep out somebody who is let in again.
func (p *liveKit) Remove(ctx context.Context, v Visit) error {
	_, err := p.call(ctx, v.At, "RemoveParticipant", map[string]any{"roomAdmin": true, "room": v.Place},
		map[string]any{"room": v.Place, "identity": v.Admission.Show(rooms.AdmissionPrefix), "revoke_token_ts": v.At/1000 + 1}, &struct{}{})
	return err
}

func (p *liveKit) End(ctx context.Context, v Visit) error {
	_, err := p.call(ctx, v.At, "DeleteRoom", map[string]any{"roomCreate": true}, map[string]any{"room": v.Place}, &struct{}{})
	return err
}

// Inside passes over whoever came in by other means.
func (p *liveKit) Inside(ctx context.Context, v Visit) ([]rooms.ID, error) {
	var list struct {
		Participants []struct {
			Identity string `json:"identity"`
			State    string `json:"state"`
		} `json:"participants"`
	}
	_, err := p.call(ctx, v.At, "ListParticipants", map[string]any{"roomAdmin": true, "room": v.Place}, map[string]any{"room": v.Place}, &list)
	var inside []rooms.ID
	for _, one := range list.Participants {
		if id, err := rooms.ParseID(rooms.AdmissionPrefix, one.Identity); err == nil && one.State != "DISCONNECTED" {
			inside = append(inside, id)
		}
	}
	return inside, err
}

// Check asks for no room: the answer is small, and nobody gets it without key
// and secret. The server looks at its own clock, so the token has the real time.
func (p *liveKit) Check(ctx context.Context) error {
	_, err := p.call(ctx, time.Now().UnixMilli(), "ListRooms", map[string]any{"roomList": true}, map[string]any{"names": []string{"admitone"}}, &struct{}{})
	return err
}

// token is one whose rights begin now, in Unix milliseconds, and end soon, at the
// latest at ends, in Unix seconds (livekit/protocol, auth/accesstoken.go). It is not dated back: the server allows for clocks that
// differ by a minute, and tells by the beginning which tokens are taken back.
func (p *liveKit) token(at, ends int64, claims jwt.MapClaims) (string, error) {
	claims["iss"], claims["nbf"], claims["exp"] = p.key, at/1000, min(ends, time.UnixMilli(at).Add(liveKitToken).Unix())
	return sign(jwt.SigningMethodHS256, p.secret, "", claims)
}

// call asks one method of the room service, in Twirp's JSON form and with a token
// for it alone, and reads the answer into what into points to. found is false
// where the server knows no such room or participant.
func (p *liveKit) call(ctx context.Context, at int64, method string, grant, question map[string]any, into any) (found bool, err error) {
	token, err := p.token(at, math.MaxInt64, jwt.MapClaims{"video": grant})
	if err != nil {
		return false, err
	}
	body, err := json.Marshal(question)
	if err != nil {
		return false, err
	}
	got, err := p.ask(ctx, http.MethodPost, p.api+method, http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}, body)
	if err != nil {
		return false, err
	}
	if got.Status != http.StatusOK {
		var refusal struct {
			Code string `json:"code"`
		}
		if got.Status == http.StatusNotFound && json.Unmarshal(got.Body, &refusal) == nil && refusal.Code == "not_found" {
			return false, nil
		}
		return false, got.unexpected()
	}
	if json.Unmarshal(got.Body, into) != nil {
		return false, fmt.Errorf("%w: it answers, but not as LiveKit does", ErrUnreachable)
	}
	return true, nil
}

func (p *liveKit) fill(token string) string {
	return strings.NewReplacer("{url}", encode(p.socket), "{token}", encode(token)).Replace(p.join)
}
