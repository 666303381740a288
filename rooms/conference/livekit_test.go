package conference

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"admitone/rooms"
)

const liveKitPage = "https://page.example/custom?liveKitUrl={url}&token={token}"

// liveKit is a back end at that server, as the setting makes it.
func liveKitAt(t testing.TB, s *liveKitServer) *Backends {
	t.Helper()
	return configured(t, map[string]string{"kind": "livekit", "url": s.URL, "key": liveKitKey, "secret": liveKitSecret, "join_url": liveKitPage})
}

// liveKitJoin is the link of this visit, with the token in it as the server reads it.
func liveKitJoin(t testing.TB, b *Backends, s *liveKitServer, v Visit) (token string) {
	t.Helper()
	link, err := b.JoinLink(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Host != "page.example" || u.Path != "/custom" || len(q) != 2 || q.Get("liveKitUrl") != s.URL || u.Fragment != "" {
		t.Fatalf("the link leads to %s with %d parameters", u.Host+u.Path, len(q))
	}
	return q.Get("token")
}

func TestALiveKitTokenSaysExactlyWhatItsHolderMayDo(t *testing.T) {
	t.Parallel()
	s := newLiveKitServer(t)
	b := liveKitAt(t, s)
	for role, admin := range map[string]bool{"guest": false, "host": true} {
		v := visit("Ada & Zoë 🎟")
		v.Role = role
		token := liveKitJoin(t, b, s, v)
		c, ok := s.enter(token)
		if !ok {
			t.Fatalf("a %s is not let in", role)
		}
		if c.Sub != rooms.ID(1).Show(rooms.AdmissionPrefix) || c.Name != v.Name || c.Nbf != clock().Unix() || c.Exp != clock().Unix()+120 {
			t.Errorf("a %s's claims: %+v", role, c)
		}
		place := b.settle(v).Place
		want := map[string]any{"room": place, "roomJoin": true, "roomAdmin": admin, "canPublish": true, "canPublishData": true, "canSubscribe": true,
			"canSubscribeMetrics": false, "canUpdateOwnMetadata": false, "canPublishSources": []any{"camera", "microphone", "screen_share", "screen_share_audio"}}
		got, _ := json.Marshal(c.Video)
		wanted, _ := json.Marshal(want)
		if string(got) != string(wanted) {
			t.Errorf("a %s may %s, want %s", role, got, wanted)
		}
	}
	soon := visit("Ada")
	soon.Until = clock().Add(10 * time.Second).UnixMilli()
	for _, row := range []struct {
		v     Visit
		lasts time.Duration
	}{{visit("Ada"), 2 * time.Minute}, {soon, 10 * time.Second}} {
		s.now = clock
		token := liveKitJoin(t, b, s, row.v)
		s.now = func() time.Time { return clock().Add(row.lasts - time.Second) }
		if _, ok := s.verify(token); !ok {
			t.Errorf("a token does not last for %v", row.lasts)
		}
		s.now = func() time.Time { return clock().Add(row.lasts) }
		if _, ok := s.verify(token); ok {
			t.Errorf("a token works after its %v", row.lasts)
		}
	}
}

func TestLiveKitTellsWhoIsInsideRemovesThemAndEnds(t *testing.T) {
	t.Parallel()
	s := newLiveKitServer(t)
	b := liveKitAt(t, s)
	ada, bob := visit("Ada"), visit("Bob")
	bob.Admission, bob.Role = 2, "host"
	room := ada.Room
	inside := func(want ...rooms.ID) {
		t.Helper()
		got, err := b.Inside(t.Context(), room)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("inside are %v, %v; want %v", got, err, want)
		}
	}
	inside()
	if err := errors.Join(b.End(t.Context(), room), b.Remove(t.Context(), ada)); err != nil {
		t.Errorf("where nothing goes on: %v", err)
	}
	if can := b.Can(room); !can.Removes || !can.Ends || !can.Tells || can.Holds || b.Lasts(ada) != 10*time.Minute {
		t.Errorf("it can %+v", can)
	}
	old := liveKitJoin(t, b, s, ada)
	s.revoked = map[string]int64{}
	for _, token := range []string{old, old, liveKitJoin(t, b, s, bob)} {
		if _, ok := s.enter(token); !ok {
			t.Fatal("not let in")
		}
	}
	inside(1, 2)
	s.rooms[b.settle(ada).Place] = append(s.rooms[b.settle(ada).Place], "agent-7", rooms.ID(3).Show(rooms.AdmissionPrefix)+" DISCONNECTED", "")
	inside(1, 2)
	if err := b.Remove(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	inside(2)
	if _, ok := s.enter(old); ok {
		t.Error("who was removed comes back by the former token")
	}
	// Let in again, a second later: not kept out for the server's own minute.
	b.Now = func() time.Time { return clock().Add(time.Second) }
	s.now = b.Now
	if _, ok := s.enter(liveKitJoin(t, b, s, ada)); !ok {
		t.Error("who is let in again is kept out")
	}
	if err := b.End(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	if len(s.rooms) != 0 {
		t.Errorf("after the end there is %v", s.rooms)
	}
}

func TestLiveKitCheckTellsAboutTheSecret(t *testing.T) {
	t.Parallel()
	s := newLiveKitServer(t)
	s.now = time.Now
	if checked, err := liveKitAt(t, s).Check(t.Context(), "conf"); !checked || err != nil {
		t.Errorf("%v, %v", checked, err)
	}
	b := configured(t, map[string]string{"kind": "livekit", "url": s.URL, "key": liveKitKey, "secret": "x" + liveKitSecret, "join_url": liveKitPage})
	checked, err := b.Check(t.Context(), "conf")
	if !checked || !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong secret: %v, %v", checked, err)
	}
	if link, err := b.JoinLink(t.Context(), visit("Ada")); link != "" || !errors.Is(err, ErrUnreachable) {
		t.Errorf("a link with a wrong secret: %v", err)
	}
}

// A token is taken by LiveKit's own library, and says what one would say that the
// library makes for the same person.
func TestLiveKitsOwnLibraryTakesOurTokens(t *testing.T) {
	t.Parallel()
	s := newLiveKitServer(t)
	s.now = time.Now
	b := liveKitAt(t, s)
	b.Now = time.Now
	for _, role := range []string{"guest", "host"} {
		v := visit("Zoë & Co #1 🎟")
		v.Role = role
		asked := map[string]any{"key": liveKitKey, "secret": liveKitSecret, "token": liveKitJoin(t, b, s, v), "room": b.settle(v).Place,
			"identity": v.Admission.Show(rooms.AdmissionPrefix), "name": v.Name, "host": role == "host"}
		var got struct {
			Ours, Theirs struct {
				Iss, Sub, Name string
				Exp            int64
				Video          map[string]any
			}
			Forged string
		}
		node(t, `const { AccessToken, TokenVerifier, TrackSource } = require("livekit-server-sdk");
			(async () => {
				const verifier = new TokenVerifier(asked.key, asked.secret);
				const own = new AccessToken(asked.key, asked.secret, { identity: asked.identity, name: asked.name, ttl: 120 });
				own.addGrant({
					room: asked.room, roomJoin: true, roomAdmin: asked.host, canPublish: true, canPublishData: true, canSubscribe: true,
					canSubscribeMetrics: false, canUpdateOwnMetadata: false,
					canPublishSources: [TrackSource.CAMERA, TrackSource.MICROPHONE, TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO],
				});
				answer({
					ours: await verifier.verify(asked.token, 0),
					theirs: await verifier.verify(await own.toJwt(), 0),
					forged: await new TokenVerifier(asked.key, "x" + asked.secret).verify(asked.token).then(() => "taken", (error) => error.code),
				});
			})();`, asked, &got, "livekit-server-sdk")
		ours, _ := json.Marshal(got.Ours.Video)
		theirs, _ := json.Marshal(got.Theirs.Video)
		if string(ours) != string(theirs) || got.Ours.Sub != got.Theirs.Sub || got.Ours.Iss != got.Theirs.Iss || got.Ours.Name != v.Name || got.Theirs.Name != v.Name {
			t.Errorf("a %s's token says %+v, the library's %+v", role, got.Ours, got.Theirs)
		}
		if off := got.Ours.Exp - got.Theirs.Exp; off < -60 || off > 0 {
			t.Errorf("a %s's token ends %d s after the library's", role, off)
		}
		if got.Forged != "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" {
			t.Errorf("under another secret it is %s", got.Forged)
		}
	}
}

func FuzzANameStaysInItsLiveKitClaim(f *testing.F) {
	s := newLiveKitServer(f)
	b := liveKitAt(f, s)
	for _, seed := range []string{"Ada", "a&token=x", "#", `","video":{"roomAdmin":true}`, "\xff", "\x00", "+ %2B", "Zoë 🎟", "</script>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		c, ok := s.verify(liveKitJoin(t, b, s, visit(name)))
		if !ok || c.Video["roomAdmin"] != false || c.Name != name && utf8.ValidString(name) {
			t.Errorf("%q gives %+v", name, c)
		}
	})
}
