package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"admitone/data/datatest"
)

// eachFleet runs a test against one server on SQLite, and against two that share a PostgreSQL database.
func eachFleet(t *testing.T, test func(t *testing.T, fleet []*server)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, []*server{startServer(t)}) })
	t.Run("postgres, two instances", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + datatest.Postgres(t), "BASE_URL=http://meet.test",
			"JWT_KEY=u8Xc2TqLw5Zr7Np0Vb4Ky6Hs1Gd3Jf9M"} // gitleaks:allow
		test(t, []*server{startServer(t, env...), startServer(t, env...)})
	})
}

// atOnce runs n racers that start at the same moment, and returns what each was told.
func atOnce(n int, racer func(i int) answer) []answer {
	answers := make([]answer, n)
	datatest.AtOnce(n, func(i int) { answers[i] = racer(i) })
	return answers
}

// redeemAtOnce has n callers redeem one link with the nonces that nonce gives
// them, spread over the fleet.
func redeemAtOnce(t *testing.T, fleet []*server, n int, link string, nonce func(i int) string) []answer {
	t.Helper()
	bearers := make([]string, len(fleet))
	for i, s := range fleet {
		bearers[i] = s.token(t)
	}
	return atOnce(n, func(i int) answer {
		a, err := fleet[i%len(fleet)].try(bearers[i%len(fleet)], http.MethodPost, "/invitations/redeem", members{"token": link, "nonce": nonce(i)})
		if err != nil {
			t.Error(err)
		}
		return a
	})
}

// distinct is a nonce of its own for every racer.
func distinct(i int) string { return fmt.Sprintf("racer-%010d", i) }

// winners counts the admissions that were handed out; whoever got none must
// have been told that the uses are taken.
func winners(answers []answer) (admissions []string, wrong []string) {
	for i, a := range answers {
		id := a.Get("admission", "id")
		switch {
		case a.Status == http.StatusOK && id != "":
			if !slices.Contains(admissions, id) {
				admissions = append(admissions, id)
			}
		case a.Status == http.StatusConflict && a.Get("code") == "used":
		default:
			wrong = append(wrong, fmt.Sprintf("racer %d: %v", i, a))
		}
	}
	return admissions, wrong
}

// count is how many answers had that status.
func count(answers []answer, status int) (n int) {
	for _, a := range answers {
		if a.Status == status {
			n++
		}
	}
	return n
}

// usesAre checks the invitation's counter and its history on every server.
func usesAre(t *testing.T, fleet []*server, id string, want int) {
	t.Helper()
	for _, s := range fleet {
		if got := s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+id, nil).Get("uses"); got != fmt.Sprint(want) {
			t.Errorf("uses are %s, want %d", got, want)
		}
		events := string(s.call(t, http.StatusOK, http.MethodGet, "/invitations/"+id+"/events?limit=500", nil).Body)
		if got := strings.Count(events, `"invitation.redeemed"`); got != want {
			t.Errorf("the history tells of %d redemptions, want %d", got, want)
		}
	}
}

func TestRaceOfStrangersHasAsManyWinnersAsUses(t *testing.T) {
	t.Parallel()
	eachFleet(t, func(t *testing.T, fleet []*server) {
		room := fleet[0].createRoom(t, "Race")
		for _, k := range []int{1, 3, 7} {
			t.Run(fmt.Sprintf("%d uses", k), func(t *testing.T) {
				inv := fleet[0].mint(t, room, members{"max_uses": k})
				answers := redeemAtOnce(t, fleet, 200, inv.Token, distinct)
				admissions, wrong := winners(answers)
				if won := count(answers, http.StatusOK); won != k || len(admissions) != k || wrong != nil {
					t.Errorf("%d of 200 were let in, by %d admissions, want %d; %s", won, len(admissions), k, strings.Join(wrong, "\n"))
				}
				usesAre(t, fleet, inv.ID, k)
			})
		}
	})
}

func TestRaceOfOnePersonsRetriesTakesOneUse(t *testing.T) {
	t.Parallel()
	eachFleet(t, func(t *testing.T, fleet []*server) {
		room := fleet[0].createRoom(t, "Race")
		for _, k := range []int{1, 7} {
			t.Run(fmt.Sprintf("%d uses", k), func(t *testing.T) {
				inv := fleet[0].mint(t, room, members{"max_uses": k})
				answers := redeemAtOnce(t, fleet, 50, inv.Token, func(int) string { return "one person's nonce" })
				admissions, wrong := winners(answers)
				if won := count(answers, http.StatusOK); won != 50 || len(admissions) != 1 || wrong != nil {
					t.Errorf("%d of 50 were let in, by %d admissions, want all by one; %s", won, len(admissions), strings.Join(wrong, "\n"))
				}
				usesAre(t, fleet, inv.ID, 1)
			})
		}
	})
}

func TestRaceOfBrowsersOnTheGuestsPage(t *testing.T) {
	t.Parallel()
	const browsers = 40
	eachFleet(t, func(t *testing.T, fleet []*server) {
		room := fleet[0].createRoom(t, "Race")
		for _, k := range []int{1, 3} {
			t.Run(fmt.Sprintf("40 browsers, %d uses", k), func(t *testing.T) {
				inv := fleet[0].mint(t, room, members{"max_uses": k})
				link := []string{inv.URL, inv.Short}[k%2]
				guests, nonces := make([]*guestBrowser, browsers), make([]string, browsers)
				for i := range guests {
					guests[i] = &guestBrowser{s: fleet[i%len(fleet)]}
					_, nonces[i] = guests[i].Look(t, link)
				}
				answers := atOnce(browsers, func(i int) answer { return guests[i].Press(t, link, nonces[i]) })
				if in, out := count(answers, http.StatusSeeOther), count(answers, http.StatusConflict); in != k || in+out != browsers {
					t.Errorf("%d were let in and %d told that it is used, want %d of %d in", in, out, k, browsers)
				}
				usesAre(t, fleet, inv.ID, k)
			})
		}
		t.Run("one browser 20 times", func(t *testing.T) {
			inv := fleet[0].mint(t, room, members{"max_uses": 7})
			first := &guestBrowser{s: fleet[0]}
			_, nonce := first.Look(t, inv.Short)
			answers := atOnce(20, func(i int) answer {
				same := &guestBrowser{s: fleet[i%len(fleet)], cookie: first.cookie}
				return same.Press(t, inv.Short, nonce)
			})
			if in := count(answers, http.StatusSeeOther); in != 20 {
				t.Errorf("%d of 20 presses led in, want all", in)
			}
			usesAre(t, fleet, inv.ID, 1)
		})
	})
}

// The same race against a server that reads the uses first and counts
// afterwards: the test must see what is wrong with it.
func TestRaceSeesAServerThatReadsBeforeItWrites(t *testing.T) {
	t.Parallel()
	const racers = 20
	var mu sync.Mutex
	uses := 0
	var read sync.WaitGroup // all have read before any writes, which is the race at its worst
	read.Add(racers)
	naive := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		free := uses < 1
		mu.Unlock()
		read.Done()
		read.Wait()
		if !free {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"code":"used"}`)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		uses++
		fmt.Fprintf(w, `{"admission":{"id":"adm_%d"}}`, uses)
	}))
	t.Cleanup(naive.Close)
	s := &server{URL: naive.URL, client: newClient(), bearer: "any"}
	admissions, wrong := winners(redeemAtOnce(t, []*server{s}, racers, "any", distinct))
	if len(admissions) != racers || wrong != nil {
		t.Errorf("saw %d winners, want the %d that there were; %v", len(admissions), racers, wrong)
	}
}
