package dashboard

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"admitone/handlers/session"
	"admitone/rooms"
	"admitone/tokens"
	"admitone/views"
)

// How many rows a preview shows, and how long a cell in it is.
const (
	maxFaultsShown = 200
	maxGoodShown   = 50
	maxCellShown   = 200
)

// Bulk answers GET /rooms/{room}/bulk: the form for a list of guests.
func (p *Pages) Bulk(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	return p.bulkForm(c, h, http.StatusOK, r, views.Bulk{})
}

func (p *Pages) bulkForm(c echo.Context, h host, status int, r rooms.Room, v views.Bulk) error {
	batches, err := p.Invitations.Store.Batches(c.Request().Context(), r.ID, 10)
	if err != nil {
		return err
	}
	for _, b := range batches {
		v.Batches = append(v.Batches, views.BatchLine{ID: b.ID.Show(rooms.BatchPrefix), Count: b.Count(), At: instant(b.CreatedAt)})
	}
	panel := p.panel(r)
	v.Page, v.Room, v.Slug, v.Closed, v.RoomEnds = p.frame(c, h, ""), r.Name, r.Slug, panel.Closed, panel.RoomEnds
	return session.Render(c, status, views.BulkPage(v))
}

// BulkList answers POST /rooms/{room}/bulk: it shows what would be minted of a
// list, and mints it when that was looked at. Between the two the form carries
// the list, so that nothing of it is kept here that is not minted.
func (p *Pages) BulkList(c echo.Context, h host) error {
	r, err := p.room(c, h)
	if err != nil {
		return err
	}
	raw, err := sentList(c)
	if err != nil {
		return err
	}
	if c.FormValue("then") == "edit" {
		return p.bulkForm(c, h, http.StatusOK, r, views.Bulk{List: string(raw), Expires: c.FormValue("expires")})
	}
	l, err := tokens.ReadGuestList(raw, tokens.Reading{Zone: zoneOf(r), Shown: true})
	if wrong := rooms.Wrong(err); len(wrong) > 0 {
		v := views.Bulk{Wrong: views.Invalid(wrong[0].Detail), Expires: c.FormValue("expires")}
		if utf8.Valid(raw) {
			v.List = string(raw)
		}
		return p.bulkForm(c, h, http.StatusUnprocessableEntity, r, v)
	}
	if err != nil {
		return err
	}
	if in, err := rooms.ParseDuration(c.FormValue("expires")); err == nil {
		for i, row := range l.Rows {
			if row.Draft.ExpiresIn == 0 && row.Draft.ExpiresAt == 0 {
				l.Rows[i].Draft.ExpiresIn = in
			}
		}
	}
	if c.FormValue("then") == "mint" {
		if c.FormValue("zone") != r.Timezone {
			return p.preview(c, h, http.StatusConflict, r, l, true) // its times mean others now
		}
		return p.mintList(c, h, r, l)
	}
	return p.preview(c, h, http.StatusOK, r, l, false)
}

// zoneOf is the zone of the room's times, nil where it has none.
func zoneOf(r rooms.Room) *time.Location {
	zone, err := time.LoadLocation(r.Timezone)
	if err != nil || r.Timezone == "" || r.Timezone == "Local" {
		return nil
	}
	return zone
}

// sentList is the list that the form holds: the file where one was chosen, or
// else what was pasted.
func sentList(c echo.Context) ([]byte, error) {
	err := c.Request().ParseMultipartForm(tokens.MaxGuestList)
	if errors.Is(err, http.ErrNotMultipart) {
		err = c.Request().ParseForm()
	}
	if err != nil {
		return nil, err
	}
	file, _, err := c.Request().FormFile("file")
	if err != nil {
		return []byte(c.FormValue("list")), nil // no file was chosen
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(file)
	if len(bytes.TrimSpace(raw)) == 0 && err == nil {
		return []byte(c.FormValue("list")), nil
	}
	return raw, err
}

func (p *Pages) mintList(c echo.Context, h host, r rooms.Room, l tokens.GuestList) error {
	t := tokens.Terms{MayHost: true, Unique: c.FormValue("again") != "true", Wish: c.FormValue("wish")}
	t.Good, _ = strconv.Atoi(c.FormValue("good"))
	if !t.Unique {
		doubles, _ := strconv.Atoi(c.FormValue("doubles"))
		t.Good += doubles
	}
	b, results, err := p.Invitations.MintList(c.Request().Context(), h.Caller(), r, l.Rows, t)
	switch {
	case errors.Is(err, tokens.ErrListChanged), err == nil && b.ID == 0:
		return p.preview(c, h, http.StatusConflict, r, l, true)
	case errors.Is(err, tokens.ErrRoomClosed):
		return p.bulkForm(c, h, http.StatusGone, r, views.Bulk{})
	case err != nil:
		return err
	}
	session.NoteTogether(c, results)
	to := "/rooms/" + r.Slug + "/batches/" + b.ID.Show(rooms.BatchPrefix)
	if left := len(results) - b.Count(); left > 0 {
		to += "?left=" + strconv.Itoa(left)
	}
	if fragment(c) {
		c.Response().Header().Set("HX-Redirect", to)
		return c.NoContent(http.StatusNoContent)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// preview shows what is wrong with the list first, and then some of what is good.
func (p *Pages) preview(c echo.Context, h host, status int, r rooms.Room, l tokens.GuestList, changed bool) error {
	all, err := p.Invitations.Judge(c.Request().Context(), h.Caller(), r, l.Rows, tokens.Terms{MayHost: true, Unique: true})
	if errors.Is(err, tokens.ErrRoomClosed) {
		return p.bulkForm(c, h, http.StatusGone, r, views.Bulk{})
	}
	if err != nil {
		return err
	}
	v := views.BulkPreview{Page: p.frame(c, h, ""), Room: r.Name, Slug: r.Slug, List: l.Text, Expires: c.FormValue("expires"), Wish: rand.Text(), Zone: r.Timezone,
		Total: len(all), Unused: l.Unused, Changed: changed}
	var doubles, hosts, good []views.BulkRow
	for _, row := range all {
		switch {
		case row.Err == nil:
			v.Good++
			if row.Invitation.Role == tokens.Host {
				// Whoever looks sees all that may hold a room, or most.
				if v.Hosts++; v.Hosts <= maxFaultsShown {
					hosts = append(hosts, previewRow(row))
				}
			} else if v.Good-v.Hosts <= maxGoodShown {
				good = append(good, previewRow(row))
			}
			if row.Invitation.Name == "" {
				v.Nameless++
			}
		case row.Double:
			if v.Doubles++; v.Doubles <= maxFaultsShown {
				doubles = append(doubles, previewRow(row))
			}
		default:
			if v.Bad++; v.Bad <= maxFaultsShown {
				v.Rows = append(v.Rows, previewRow(row))
			}
		}
	}
	v.Rows = slices.Concat(v.Rows, doubles, hosts, good)
	if v.Bad+v.Doubles > 0 {
		var rest bytes.Buffer
		if err := l.WriteRest(&rest, all, func(r tokens.Result) string { return previewRow(r).Says(c.Request().Context()) }); err != nil {
			return err
		}
		// The list is kept nowhere: what to download is in the page.
		v.Rest = "data:text/csv;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(rest.Bytes())
	}
	return session.Render(c, status, views.BulkPreviewPage(v))
}

func previewRow(r tokens.Result) views.BulkRow {
	v := views.BulkRow{Row: r.Row, Line: r.Line, Name: r.Draft.Name, Email: r.Draft.Email, Role: string(r.Draft.Role), Double: r.Double, Ends: instant(r.Invitation.ExpiresAt),
		Begins: instant(r.Invitation.NotBefore), People: r.Invitation.MaxUses, PIN: r.Draft.PIN != "", Language: r.Invitation.Locale}
	if r.Err == nil {
		v.Name, v.Email = r.Invitation.Name, r.Invitation.Email
	} else if v.Name == "" && v.Email == "" {
		v.Name = strings.Join(r.Cells, " ")
	}
	v.Name, v.Email = shortened(v.Name), shortened(v.Email)
	for _, wrong := range r.Wrong() {
		v.Wrong = append(v.Wrong, views.BulkFault{Column: wrong.Field, Text: views.Invalid(wrong.Detail)})
	}
	return v
}

// shortened is a cell as a page shows it.
func shortened(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= maxCellShown {
		return s
	}
	return string([]rune(s)[:maxCellShown]) + "…"
}

// Batch answers GET /rooms/{room}/batches/{batch}: what was minted together.
func (p *Pages) Batch(c echo.Context, h host) error {
	r, b, invs, err := p.batch(c, h)
	if err != nil {
		return err
	}
	v := views.Batch{Page: p.frame(c, h, ""), Room: r.Name, Slug: r.Slug, ID: b.ID.Show(rooms.BatchPrefix), Count: b.Count(), At: instant(b.CreatedAt), Mail: p.Post.On}
	if left, err := strconv.Atoi(c.QueryParam("left")); err == nil && left < tokens.MaxBatch {
		v.Left = left
	}
	for _, inv := range invs {
		if inv.Role == tokens.Host {
			v.Hosts++
		} else if inv.Email != "" {
			if v.Addresses++; v.Addresses == 1 {
				v.Sample = inv.ID.Show(rooms.InvitationPrefix)
			}
		}
		if inv.State(p.Now().UnixMilli()) == tokens.Pending {
			v.Good++
		}
	}
	return session.Render(c, http.StatusOK, views.BatchPage(v))
}

// BatchCSV answers GET /rooms/{room}/batches/{batch}/links.csv.
func (p *Pages) BatchCSV(c echo.Context, h host) error {
	r, _, invs, err := p.batch(c, h)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := p.Invitations.Links.WriteCSV(&out, tokens.Listed(invs), c.QueryParam("hosts") == "true"); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+r.Slug+`-links.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", out.Bytes())
}

// batch is the batch of the address and its invitations, if the host reaches the room.
func (p *Pages) batch(c echo.Context, h host) (rooms.Room, tokens.Batch, []tokens.Invitation, error) {
	r, err := p.room(c, h)
	if err != nil {
		return r, tokens.Batch{}, nil, err
	}
	ctx := c.Request().Context()
	b, err := p.Invitations.Batch(ctx, r, c.Param("batch"))
	if err != nil {
		return r, b, nil, err
	}
	invs, err := p.Invitations.Store.List(ctx, tokens.Query{Room: r.ID, Batch: b, Sort: tokens.Oldest, Limit: b.Count(), Now: p.Now().UnixMilli()})
	return r, b, invs, err
}
