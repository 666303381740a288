package datatest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", beside those that data opens itself

	"admitone/data"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
	"admitone/tokens/keys"
)

// Raw opens the Bench's database a second time and past all rules, as another
// program would: for looking at rows, and for making states and faults that the
// Stores do not offer.
func (b *Bench) Raw(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "pgx", b.URL
	if path, lite := strings.CutPrefix(b.URL, "sqlite:"); lite {
		driver, source = "sqlite3", "file:"+filepath.ToSlash(path)+"?_busy_timeout=20000"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// trial is one promise being looked at on one database.
type trial struct {
	*testing.T
	*Bench
	ctx context.Context
	raw *sql.DB
	now int64
	own *rooms.IDs
}

const (
	minute = int64(60 * 1000)
	hour   = 60 * minute
)

func (t *trial) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *trial) fails(err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

// same compares two values deeply.
func same[T any](t *trial, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func (t *trial) exec(query string, args ...any) {
	t.Helper()
	if _, err := t.raw.ExecContext(t.ctx, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// execAll runs one statement for each of many, in one transaction.
func (t *trial) execAll(query string, many [][]any) {
	t.Helper()
	tx, err := t.raw.BeginTx(t.ctx, nil)
	t.must(err)
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	for _, args := range many {
		_, err := tx.ExecContext(t.ctx, query, args...)
		t.must(err)
	}
	t.must(tx.Commit())
}

func (t *trial) count(query string, args ...any) (n int) {
	t.Helper()
	if err := t.raw.QueryRowContext(t.ctx, query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// dump is everything in the database that the Stores keep, as text.
func (t *trial) dump() string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		"SELECT * FROM rooms ORDER BY id", "SELECT * FROM invitations ORDER BY id", "SELECT * FROM admissions ORDER BY id",
		"SELECT * FROM events ORDER BY id", "SELECT * FROM keys ORDER BY id", "SELECT * FROM generated_hosts ORDER BY username",
		"SELECT * FROM requests ORDER BY id", "SELECT * FROM presence ORDER BY admission_id", "SELECT * FROM moves ORDER BY code", "SELECT * FROM known_addresses ORDER BY host, address", "SELECT * FROM sessions ORDER BY token", "SELECT * FROM host_epochs ORDER BY host",
		"SELECT * FROM second_factors ORDER BY host", "SELECT * FROM recovery_codes ORDER BY host, hash", "SELECT * FROM settings ORDER BY name", "SELECT * FROM passkey_handles ORDER BY host", "SELECT * FROM passkeys ORDER BY id",
		"SELECT * FROM oauth_clients ORDER BY id", "SELECT * FROM oauth_grants ORDER BY id", "SELECT * FROM oauth_access ORDER BY id",
		"SELECT * FROM oauth_refresh ORDER BY hash", "SELECT * FROM api_keys ORDER BY id", "SELECT * FROM deliveries ORDER BY id", "SELECT * FROM once ORDER BY used_for, hash",
	} {
		t.dumpRows(&b, query)
	}
	return b.String()
}

func (t *trial) dumpRows(b *strings.Builder, query string) {
	t.Helper()
	rows, err := t.raw.QueryContext(t.ctx, query)
	t.must(err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	t.must(err)
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		t.must(rows.Scan(into...))
		fmt.Fprintln(b, query, values)
	}
	t.must(rows.Err())
}

// unchanged shows that doing it leaves no trace in the database.
func (t *trial) unchanged(what string, do func()) {
	t.Helper()
	before := t.dump()
	do()
	if after := t.dump(); after != before {
		t.Errorf("%s changed the database:\nbefore\n%s\nafter\n%s", what, before, after)
	}
}

// noted shows that doing it stores exactly these events and no other, each with an id of its own.
func (t *trial) noted(what string, do func(), want ...audit.Event) {
	t.Helper()
	before := t.history()
	do()
	var got []audit.Event
	for _, ev := range t.history() {
		if !slices.Contains(before, ev) {
			ev.ID = 0
			got = append(got, ev)
		}
	}
	same(t, what+": its events", got, want)
}

// history is every event there is, by id.
func (t *trial) history() (evs []audit.Event) {
	t.Helper()
	rows, err := t.raw.QueryContext(t.ctx, "SELECT id, at, actor_kind, actor, kind, room_id, invitation_id, admission_id, detail FROM events ORDER BY id")
	t.must(err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var ev audit.Event
		t.must(rows.Scan(&ev.ID, &ev.At, &ev.Actor.Kind, &ev.Actor.Name, &ev.Kind, &ev.Room, &ev.Invitation, &ev.Admission, &ev.Detail))
		evs = append(evs, ev)
	}
	t.must(rows.Err())
	return evs
}

// historyLost makes every attempt to store an event fail until it is called back.
func (t *trial) historyLost() (found func()) {
	t.Helper()
	if t.DB.Kind() == "sqlite" {
		t.exec("CREATE TRIGGER lost BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no history today'); END")
		return func() { t.exec("DROP TRIGGER lost") }
	}
	t.exec("CREATE FUNCTION lost() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no history today''; END'")
	t.exec("CREATE TRIGGER lost BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION lost()")
	return func() { t.exec("DROP TRIGGER lost ON events"); t.exec("DROP FUNCTION lost()") }
}

// undoneWithoutHistory shows that each change fails and leaves nothing behind where its event cannot be stored.
func (t *trial) undoneWithoutHistory(changes map[string]func() error) {
	t.Helper()
	defer t.historyLost()()
	for name, change := range changes {
		t.unchanged(name, func() {
			if err := change(); err == nil || !strings.Contains(err.Error(), "no history today") {
				t.Errorf("%s without its event: error %v", name, err)
			}
		})
	}
}

func (t *trial) event(kind audit.Kind, r rooms.ID, inv rooms.ID) audit.Event {
	return audit.Event{At: t.now, Actor: audit.Actor{Kind: audit.Host, Name: "ada"}, Kind: kind, Room: int64(r), Invitation: int64(inv), Detail: "why"}
}

// id comes from where nothing is made for another moment, which would make this
// begin anew, maybe among ids of before.
func (t *trial) id() rooms.ID { return t.own.Next(t.now) }

// room stores a room that is open without an end, changed as asked.
func (t *trial) room(changes ...func(*rooms.Room)) rooms.Room {
	t.Helper()
	id := t.id()
	r := rooms.Room{ID: id, Slug: "r-" + id.Show(""), Name: "Room", Owner: "ada", CreatedAt: t.now}
	for _, change := range changes {
		change(&r)
	}
	t.must(t.Rooms.Store.Insert(t.ctx, []rooms.Room{r}, []audit.Event{t.event(audit.RoomCreated, r.ID, 0)}))
	return r
}

// draft is an invitation of one use to the room, good for an hour, and not stored yet.
func (t *trial) draft(r rooms.Room, changes ...func(*tokens.Invitation)) tokens.Invitation {
	id := t.id()
	inv := tokens.Invitation{ID: id, Counter: id, Room: r, Role: tokens.Guest, MaxUses: 1, CreatedAt: t.now,
		ExpiresAt: t.now + hour, CreatedBy: audit.Actor{Kind: audit.Host, Name: "ada"}}
	for _, change := range changes {
		change(&inv)
	}
	return inv
}

// invitation stores a draft.
func (t *trial) invitation(r rooms.Room, changes ...func(*tokens.Invitation)) tokens.Invitation {
	t.Helper()
	inv := t.draft(r, changes...)
	t.insert(inv)
	return inv
}

func (t *trial) insert(invs ...tokens.Invitation) {
	t.Helper()
	evs := make([]audit.Event, len(invs))
	for i, inv := range invs {
		evs[i] = t.event(audit.InvitationMinted, inv.Room.ID, inv.ID)
	}
	t.must(t.Invitations.Store.Insert(t.ctx, invs, evs))
}

func (t *trial) get(id rooms.ID) tokens.Invitation {
	t.Helper()
	inv, err := t.Invitations.Store.ByID(t.ctx, id)
	t.must(err)
	return inv
}

// claim is the wish for one use of the invitation under that nonce.
func (t *trial) claim(inv tokens.Invitation, nonce string) (tokens.Claim, audit.Event) {
	a := tokens.Admission{ID: t.id(), Invitation: inv.ID, Room: inv.Room.ID, Role: inv.Role, Name: "Bo", Browser: "b-" + nonce, CreatedAt: t.now}
	ev := t.event(audit.InvitationRedeemed, inv.Room.ID, inv.ID)
	ev.Admission = int64(a.ID)
	return tokens.Claim{Admission: a, Counter: inv.Counter, Nonce: nonce, Moves: inv.Moves}, ev
}

// take claims one use and must get it.
func (t *trial) take(inv tokens.Invitation, nonce string) tokens.Admission {
	t.Helper()
	c, ev := t.claim(inv, nonce)
	a, err := t.Invitations.Store.Claim(t.ctx, c, ev)
	t.must(err)
	return a
}

// at is an instant some time from the trial's now.
func (t *trial) at(d time.Duration) int64 { return t.now + d.Milliseconds() }

// store is the database's keys.Store.
func (t *trial) store() keys.Store { return data.NewKeys(t.DB, t.IDs) }
