package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/tokens/oauth"
)

// MintMany answers POST /rooms/{room}/invitations/bulk.
func (a *API) MintMany(c echo.Context) error {
	caller, r, err := a.find(c, oauth.InvitationsWrite)
	if err != nil {
		return err
	}
	rows, terms, err := many(c)
	if err != nil {
		return err
	}
	terms.MayHost = caller.May(oauth.InvitationsHost)
	ctx := c.Request().Context()
	b, results, err := a.Invitations.MintList(ctx, caller.Caller, r, rows, terms)
	if err != nil {
		return err
	}
	session.NoteTogether(c, results)
	c.Response().Header().Set("Cache-Control", "no-store")
	if wantsCSV(c.Request()) {
		var out bytes.Buffer
		if err := a.Invitations.Links.WriteCSV(&out, results, c.QueryParam("hosts") == "true"); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, "text/csv; charset=utf-8", out.Bytes())
	}
	return a.writeResults(ctx, c.Response(), caller, b, results)
}

// many reads the rows of a bulk call, in JSON or CSV, and the terms it sets: all
// or none, and one good invitation for an address, unless it says otherwise.
func many(c echo.Context) ([]tokens.GuestRow, tokens.Terms, error) {
	if kind, _, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type")); kind != "text/csv" {
		return manyJSON(c)
	}
	atomic, badAtomic := yes(c, "atomic", true)
	again, badAgain := yes(c, "again", false)
	terms := tokens.Terms{Atomic: atomic, Unique: !again}
	if err := errors.Join(badAtomic, badAgain); err != nil {
		return nil, terms, err
	}
	text, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return nil, terms, err
	}
	l, err := tokens.ReadGuestList(text, tokens.Reading{})
	if err == nil {
		err = l.Strict()
	}
	return l.Rows, terms, err
}

// yes reads a yes or no of the query.
func yes(c echo.Context, name string, usual bool) (bool, error) {
	switch c.QueryParam(name) {
	case "":
		return usual, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return usual, rooms.Invalid{Field: name, Detail: "is true or false"}
}

func manyJSON(c echo.Context) (_ []tokens.GuestRow, terms tokens.Terms, _ error) {
	var in struct {
		Invitations elements `json:"invitations"`
		Atomic      *bool    `json:"atomic"`
		Again       bool     `json:"again"`
	}
	if err := decode(c, &in, false); err != nil {
		return nil, terms, err
	}
	if len(in.Invitations) > tokens.MaxBatch {
		return nil, terms, tokens.ErrListTooLong
	}
	terms = tokens.Terms{Atomic: in.Atomic == nil || *in.Atomic, Unique: !in.Again}
	rows := make([]tokens.GuestRow, len(in.Invitations))
	_ = rooms.Apart(len(rows), func(_, from, to int) error {
		for i := from; i < to; i++ {
			var one wanted
			err := strictly(in.Invitations[i], &one)
			if errors.Is(err, ErrNotJSON) { // it is JSON, or the whole would not have been
				err = notObject
			}
			if err == nil {
				rows[i].Draft, err = one.draft()
			} else {
				rows[i].Draft.Role = tokens.Guest // of a row that cannot be read nothing else is to be said
			}
			rows[i].Line, rows[i].Err = i+1, err
		}
		return nil
	})
	return rows, terms, nil
}

// elements are a list's, of which no more are taken apart than MaxBatch and one: as
// many as a body of single digits has would be far larger than the body.
type elements []json.RawMessage

func (e *elements) UnmarshalJSON(text []byte) error {
	*e = nil
	if !bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]json.RawMessage)(e))
	}
	for one := range pieces(bytes.Clone(text)) {
		if *e = append(*e, one); len(*e) > tokens.MaxBatch {
			break
		}
	}
	return nil
}

// wantsCSV tells whether the caller would rather have CSV than JSON.
func wantsCSV(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		switch kind, _, _ := mime.ParseMediaType(part); kind {
		case "text/csv":
			return true
		case "application/json":
			return false
		}
	}
	return false
}

// result is a row of the answer: the invitation's members beside its row, or errors.
type result struct {
	Row int `json:"row"`
	*invitation
	Errors []fault `json:"errors,omitempty"`
}

type fault struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// writeResults writes the answer. Ten thousand tokens are signed on all processors.
func (a *API) writeResults(ctx context.Context, w *echo.Response, caller session.Caller, b tokens.Batch, results []tokens.Result) error {
	pieces, by := make([]bytes.Buffer, rooms.Pieces()), a.actor(ctx, b.CreatedBy)
	err := rooms.Apart(len(results), func(piece, from, to int) error {
		into := &pieces[piece]
		into.Grow((to - from) * 1500) // of which each takes some 1,400
		for i := from; i < to; i++ {
			if i > 0 {
				into.WriteByte(',')
			}
			text, err := a.resultText(caller, by, results[i])
			if err != nil {
				return err
			}
			into.Write(text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	batch := "null"
	if b.ID != 0 {
		batch = strconv.Quote(b.ID.Show(rooms.BatchPrefix))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, err = io.WriteString(w, `{"batch":`+batch+`,"minted":`+strconv.Itoa(b.Count())+`,"results":[`)
	for i := range pieces {
		if err == nil {
			_, err = w.Write(pieces[i].Bytes())
		}
	}
	if err == nil {
		_, err = io.WriteString(w, "]}\n")
	}
	return err
}

func (a *API) resultText(caller session.Caller, by actor, r tokens.Result) ([]byte, error) {
	out := result{Row: r.Row}
	if r.Err != nil {
		for _, wrong := range r.Wrong() {
			out.Errors = append(out.Errors, fault{wrong.Field, wrong.Detail})
		}
	} else {
		inv, err := a.signed(caller, a.made(caller, *r.Invitation, by), *r.Invitation)
		if err != nil {
			return nil, err
		}
		out.invitation = &inv
	}
	return json.Marshal(out)
}
