package main

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"admitone/rooms"
)

// history is what must hold in every database, whatever happened to its server:
// each query counts what must not be.
var history = map[string]string{
	"invitations used more often than allowed": `SELECT COUNT(*) FROM invitations WHERE uses > max_uses`,
	"invitations whose admissions are not their uses": `SELECT COUNT(*) FROM invitations i
		WHERE uses <> (SELECT COUNT(*) FROM admissions a WHERE a.invitation_id = i.id)`,
	"invitations without one record of their minting": `SELECT COUNT(*) FROM invitations i
		WHERE 1 <> (SELECT COUNT(*) FROM events e WHERE e.invitation_id = i.id AND e.kind = 'invitation.minted')`,
	"admissions without one record of their redemption": `SELECT COUNT(*) FROM admissions a
		WHERE 1 <> (SELECT COUNT(*) FROM events e WHERE e.invitation_id = a.invitation_id AND e.admission_id = a.id AND e.kind = 'invitation.redeemed')`,
	"invitations revoked without one record of it, or the other way round": `SELECT COUNT(*) FROM invitations i
		WHERE (revoked_at <> 0) <> (SELECT COUNT(*) FROM events e WHERE e.invitation_id = i.id AND e.kind = 'invitation.revoked')`,
	"records of what did not happen": `SELECT COUNT(*) FROM events e WHERE e.invitation_id <> 0
		AND (NOT EXISTS (SELECT 1 FROM invitations i WHERE i.id = e.invitation_id)
			OR e.admission_id <> 0 AND NOT EXISTS (SELECT 1 FROM admissions a WHERE a.id = e.admission_id))`,
	"pages that are damaged": `SELECT COUNT(*) FROM pragma_quick_check WHERE quick_check <> 'ok'`,
}

// missing compares the ledger with the database file and returns what is wrong there.
func (l *ledger) missing(t testing.TB, file string) (found []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	db := readOnly(t, file)
	for what, query := range history {
		var n int
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n != 0 {
			found = append(found, fmt.Sprintf("%d %s", n, what))
		}
	}
	revokedAt := map[string]int64{}
	each(t, db, `SELECT id, revoked_at FROM invitations`, func(id rooms.ID, at int64) { revokedAt[id.Show(rooms.InvitationPrefix)] = at })
	admittedTo := map[string]string{}
	each(t, db, `SELECT id, invitation_id FROM admissions`, func(id rooms.ID, inv int64) {
		admittedTo[id.Show(rooms.AdmissionPrefix)] = rooms.ID(inv).Show(rooms.InvitationPrefix)
	})
	for _, inv := range l.minted {
		if _, ok := revokedAt[inv.ID]; !ok {
			found = append(found, "a minted invitation is lost: "+inv.ID)
		}
	}
	for id := range l.revoked {
		if revokedAt[id] == 0 {
			found = append(found, "a revoked invitation is good again: "+id)
		}
	}
	for _, r := range l.redeemed {
		if admittedTo[r.adm] != r.link.ID {
			found = append(found, "an admission is lost: "+r.adm)
		}
	}
	return found
}

func readOnly(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro&_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func each(t testing.TB, db *sql.DB, query string, row func(id rooms.ID, value int64)) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id rooms.ID
		var value int64
		if err := rows.Scan(&id, &value); err != nil {
			t.Fatal(err)
		}
		row(id, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// reoffer redeems again all that was acknowledged, as guests who come back do.
func (l *ledger) reoffer(t testing.TB, s *server, bearer string, workers int) {
	t.Helper()
	l.mu.Lock()
	again := append([]redemption(nil), l.redeemed...)
	l.mu.Unlock()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < len(again); i += workers {
				if err := l.offer(s, bearer, again[i].link, again[i].nonce); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	rounds, workers, soon := 100, 8, 2*time.Second
	switch {
	case testing.Short():
		rounds = 10
	case raceDetector(): // it looks for races and makes all slow: time is for the program as it ships
		rounds, soon = 25, patience
	}
	s := startServer(t, "LOG_LEVEL=warn")
	bearer, room := s.token(t), s.createRoom(t, "Storm")
	var answered, admitted int
	var slowest time.Duration
	for round := range rounds {
		l := newLedger(20 + rand.IntN(200))
		all := l.storm(s, bearer, room, workers)
		<-l.reached
		// An answer comes just after a commit; the kill shall come anywhere between two.
		<-time.After(time.Duration(rand.IntN(6000)) * time.Microsecond)
		s.Kill()
		all.Wait()

		began := time.Now()
		s.Restart()
		slowest = max(slowest, time.Since(began))
		if slowest > soon {
			t.Errorf("round %d: ready again after %s, want less than %s", round, slowest, soon)
		}
		answered += l.answered
		admitted += len(l.redeemed)
		l.reoffer(t, s, bearer, workers)
		wrong := append(l.wrong, l.missing(t, s.File())...)
		for _, w := range wrong {
			t.Errorf("round %d: %s", round, w)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills, %d acknowledged answers, %d admissions; slowest restart %s", rounds, answered, admitted, slowest)
}

// The check of the test above, held against files out of which one
// acknowledged thing was taken.
func TestTheCheckAfterAKillSeesWhatIsLost(t *testing.T) {
	t.Parallel()
	s := startServer(t, "LOG_LEVEL=warn")
	bearer, room := s.token(t), s.createRoom(t, "Storm")
	l := newLedger(200)
	all := l.storm(s, bearer, room, 4)
	<-l.reached
	s.Kill()
	all.Wait()
	s.Restart()
	s.Stop() // which moves all of it into the one file
	if found := l.missing(t, s.File()); found != nil {
		t.Fatalf("before anything was taken: %q", found)
	}
	whole, err := os.ReadFile(s.File())
	if err != nil {
		t.Fatal(err)
	}
	const one = ` WHERE id = (SELECT id FROM `
	for name, theft := range map[string]string{
		"a mint":                   `DELETE FROM invitations` + one + `invitations WHERE uses = 0 AND revoked_at = 0 LIMIT 1)`,
		"an admission":             `DELETE FROM admissions` + one + `admissions LIMIT 1)`,
		"a use":                    `UPDATE invitations SET uses = uses - 1` + one + `invitations WHERE uses > 0 LIMIT 1)`,
		"the limit of uses":        `UPDATE invitations SET max_uses = 0` + one + `invitations WHERE uses > 0 LIMIT 1)`,
		"a revocation":             `UPDATE invitations SET revoked_at = 0` + one + `invitations WHERE revoked_at <> 0 LIMIT 1)`,
		"a record of a mint":       `DELETE FROM events` + one + `events WHERE kind = 'invitation.minted' LIMIT 1)`,
		"a record of a redemption": `DELETE FROM events` + one + `events WHERE kind = 'invitation.redeemed' LIMIT 1)`,
		"a record of a revocation": `DELETE FROM events` + one + `events WHERE kind = 'invitation.revoked' LIMIT 1)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "admitone.db")
			if err := os.WriteFile(file, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("sqlite3", "file:"+file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if res, err := db.Exec(theft); err != nil {
				t.Fatal(err)
			} else if n, _ := res.RowsAffected(); n != 1 {
				t.Fatalf("the theft took %d rows, want 1", n)
			}
			if found := l.missing(t, file); found == nil {
				t.Error("nothing is missed")
			}
		})
	}
}
