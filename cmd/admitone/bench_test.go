package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"admitone/data"
	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/tokens"
)

const (
	connections = 64
	rounds      = 5
	benchKey    = "q9Vn4Xs7Lk2Hd8Jw3Rb6Tf1Yc5Mg0Pz" + "K" // gitleaks:allow
)

// benchSize is how many invitations the database holds before anything is measured.
func benchSize() int {
	if n, err := strconv.Atoi(os.Getenv("BENCH_INVITATIONS")); err == nil && n > 0 {
		return n
	}
	return 20_000
}

// BenchmarkServer measures the program against the no-op POST, the ceiling of
// any Echo server, and prints the ratios of one run: every round measures each
// kind of work once, and the medians of the rounds count. BENCH_INVITATIONS says
// how full the database is.
func BenchmarkServer(b *testing.B) {
	size := benchSize()
	each := min(4000, size/(rounds+1))
	s := &server{t: b, Dir: b.TempDir()}
	env := []string{"LOG_LEVEL=warn", "JWT_KEY=" + benchKey, "BASE_URL=http://meet.test", "DATABASE_URL=sqlite:" + s.File()}
	links := fill(b, env, size, each*(rounds+1))
	s = startServer(b, env...)
	bearer, noop, actual := s.token(b), startNoop(b), target{strings.Replace(s.URL, "http://localhost", "127.0.0.1", 1), s.cmd.Process.Pid}

	work := []struct {
		name    string
		server  target
		status  int
		request func(i int) []byte
	}{
		{"no-op POST", noop, http.StatusOK, func(i int) []byte { return post("/noop", bearer, redeemBody(links[i], i)) }},
		{"inspect", actual, http.StatusOK, func(i int) []byte {
			return post("/api/v1/invitations/inspect", bearer, `{"token":"`+links[i]+`"}`)
		}},
		{"redeem, durable", actual, http.StatusOK, func(i int) []byte {
			return post("/api/v1/invitations/redeem", bearer, redeemBody(links[i], i))
		}},
		{"mint, durable", actual, http.StatusCreated, func(int) []byte {
			return post("/api/v1/rooms/bench/invitations", bearer, `{"role":"guest","name":"Ada","expires_in":"1h"}`)
		}},
	}
	results := make([][]pace, len(work))
	for round := range rounds + 1 {
		for w, kind := range work {
			requests := make([][]byte, each)
			for i := range requests {
				requests[i] = kind.request(round*each + i)
			}
			if l := hammer(b, kind.server, connections, kind.status, requests); round > 0 { // the first warms up
				results[w] = append(results[w], l)
			}
		}
	}
	fmt.Printf("\n%d invitations in the database, %d connections, medians of %d rounds of %d requests\n", size, connections, rounds, each)
	fmt.Printf("%-16s %6s %9s %8s %8s %11s\n", "", "ratio", "a second", "p50 ms", "p99 ms", "CPU µs each")
	for w, kind := range work {
		of := func(value func(p pace) float64) float64 {
			return median(results[w], func(_ int, p pace) float64 { return value(p) })
		}
		ratio := median(results[w], func(round int, p pace) float64 { return p.perSecond / results[0][round].perSecond })
		fmt.Printf("%-16s %6.2f %9.0f %8.2f %8.2f %11.0f\n", kind.name, ratio, of(func(p pace) float64 { return p.perSecond }),
			of(func(p pace) float64 { return p.p50.Seconds() * 1e3 }), of(func(p pace) float64 { return p.p99.Seconds() * 1e3 }),
			of(func(p pace) float64 { return p.cpu.Seconds() * 1e6 }))
		b.ReportMetric(ratio, strings.NewReplacer(" ", "-", ",", "").Replace(kind.name)+"/noop")
	}
	fmt.Println()
}

func redeemBody(link string, i int) string {
	return fmt.Sprintf(`{"token":%q,"nonce":"bench-nonce-%012d"}`, link, i)
}

func median(rounds []pace, of func(round int, p pace) float64) float64 {
	var values []float64
	for r, l := range rounds {
		values = append(values, of(r, l))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// fill makes the database that env names, with a room, and so many invitations
// in it; it returns the tokens of a few that lie all over the table.
func fill(b testing.TB, env []string, size, few int) (links []string) {
	b.Helper()
	h := openHouse(b, env)
	ctx := context.Background()
	by := cli()
	by.Owner = hostName
	room, err := h.rooms.Create(ctx, by, rooms.Draft{Name: "Bench", Slug: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	const batch = 5000
	stride := max(1, size/few)
	for from := 0; from < size; from += batch {
		now := time.Now().UnixMilli()
		var invs []tokens.Invitation
		var evs []audit.Event
		for i := from; i < min(from+batch, size); i++ {
			id := h.invitations.IDs.Next(now)
			inv := tokens.Invitation{ID: id, Counter: id, Room: room, Role: tokens.Guest, Name: "Guest " + strconv.Itoa(i), MaxUses: 1,
				CreatedAt: now, ExpiresAt: now + (24 * time.Hour).Milliseconds(), CreatedBy: by.Actor}
			invs = append(invs, inv)
			evs = append(evs, audit.Event{At: now, Actor: by.Actor, Kind: audit.InvitationMinted, Room: int64(room.ID), Invitation: int64(id)})
			if i%stride == 0 && len(links) < few {
				link, err := h.invitations.Links.Token(inv)
				if err != nil {
					b.Fatal(err)
				}
				links = append(links, link)
			}
		}
		if err := h.invitations.Store.Insert(ctx, invs, evs); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.db.Close(); err != nil {
		b.Fatal(err)
	}
	return links
}

func openHouse(b testing.TB, env []string) *house {
	b.Helper()
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, now: time.Now, getenv: func(name string) string {
		for _, e := range env {
			if value, ok := strings.CutPrefix(e, name+"="); ok {
				return value
			}
		}
		return ""
	}}
	c, err := load(p.getenv)
	if err != nil {
		b.Fatal(err)
	}
	h, err := p.openWith(context.Background(), c)
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// Benchmarks do not run with the tests: this shows that they still could.
func TestTheBenchCanBegin(t *testing.T) {
	t.Parallel()
	env := []string{"JWT_KEY=" + benchKey, "BASE_URL=http://meet.test", "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "bench.db")}
	links := fill(t, env, 12, 7)
	h := openHouse(t, env)
	defer func() { _ = h.db.Close() }()
	if len(links) != 7 {
		t.Fatalf("%d links to redeem, want 7", len(links))
	}
	for _, link := range links {
		if inv, err := h.named(t.Context(), link); err != nil || inv.Check(time.Now().UnixMilli()) != nil {
			t.Errorf("a link of the bench: %v %v", inv.State(time.Now().UnixMilli()), err)
		}
	}
}

// BenchmarkRedeem redeems within this process, without a network in between: for
// `go test -bench Redeem -cpuprofile`, and to compare group commit with one
// commit per redemption.
func BenchmarkRedeem(b *testing.B) {
	for _, kind := range []struct {
		name      string
		ungrouped bool
	}{{"grouped", false}, {"ungrouped", true}} {
		b.Run(kind.name, func(b *testing.B) {
			env := []string{"JWT_KEY=" + benchKey, "BASE_URL=http://meet.test", "DATABASE_URL=sqlite:" + filepath.Join(b.TempDir(), "bench.db"),
				`HOST_USERS=[{"username":"` + hostName + `","password":"` + hostPassword + `","admin":true}]`}
			links := fill(b, env, b.N, b.N)
			h := openHouse(b, env)
			defer func() { _ = h.db.Close() }()
			if kind.ungrouped {
				db, err := data.Open(context.Background(), h.config.DatabaseURL, data.Options{IDs: h.invitations.IDs, Ungrouped: true})
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = db.Close() }()
				h.invitations.Store = data.NewInvitations(db, h.invitations.IDs)
			}
			p := &program{now: time.Now}
			handler := p.handler(b.Context(), h, slog.New(slog.DiscardHandler))
			bearer := bearerOf(b, handler)
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range connections {
				all.Go(func() {
					for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
						r := httptest.NewRequest(http.MethodPost, "/api/v1/invitations/redeem", strings.NewReader(redeemBody(links[i], i)))
						r.Header.Set("Authorization", "Bearer "+bearer)
						r.Header.Set("Content-Type", "application/json")
						w := httptest.NewRecorder()
						if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
							b.Errorf("redeem: %d %s", w.Code, w.Body)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func bearerOf(b *testing.B, handler http.Handler) string {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/v1/users/token", strings.NewReader(`{"username":"`+hostName+`","password":"`+hostPassword+`"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return answer{Body: w.Body.Bytes()}.Get("access_token")
}
