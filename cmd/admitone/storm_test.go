package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
)

// ledger is what the server acknowledged, as its callers remember it.
type ledger struct {
	mu       sync.Mutex
	minted   []minted
	redeemed []redemption
	revoked  map[string]bool     // invitations whose revocation was acknowledged
	doomed   map[string]bool     // and those for which it was asked, answered or not
	nonces   map[string][]string // nonces offered for each invitation, answered or not
	admitted map[[2]string]string
	limits   map[string]int // each invitation's max_uses
	wrong    []string       // answers that no server may give
	answered int
	enough   int           // after so many answers…
	reached  chan struct{} // …this is closed
}

// redemption is an acknowledged one.
type redemption struct {
	link       minted
	nonce, adm string
}

func newLedger(enough int) *ledger {
	return &ledger{revoked: map[string]bool{}, doomed: map[string]bool{}, nonces: map[string][]string{}, admitted: map[[2]string]string{},
		limits: map[string]int{}, enough: enough, reached: make(chan struct{})}
}

// storm has so many workers mint, redeem, retry and revoke until the server is gone.
func (l *ledger) storm(s *server, bearer, room string, workers int) *sync.WaitGroup {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			var err error
			for err == nil {
				switch inv, ok := l.any(); {
				case !ok || rand.IntN(10) < 3:
					err = l.mint(s, bearer, room)
				case rand.IntN(7) == 0:
					err = l.revoke(s, bearer, inv)
				default:
					err = l.redeem(s, bearer, inv)
				}
			}
		})
	}
	return &all
}

func (l *ledger) any() (minted, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.minted) == 0 {
		return minted{}, false
	}
	return l.minted[rand.IntN(len(l.minted))], true
}

// note adds an answer to the ledger.
func (l *ledger) note(add func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	add()
	if l.answered++; l.answered == l.enough {
		close(l.reached)
	}
}

func (l *ledger) mint(s *server, bearer, room string) error {
	uses := 1 + rand.IntN(3)
	a, err := s.try(bearer, http.MethodPost, "/rooms/"+room+"/invitations", members{"role": "guest", "max_uses": uses})
	if err != nil {
		return err
	}
	l.note(func() {
		if a.Status != http.StatusCreated {
			l.wrong = append(l.wrong, "mint: "+a.String())
			return
		}
		inv := minted{a.Get("id"), a.Get("token"), a.Get("url"), a.Get("short_url")}
		l.minted, l.limits[inv.ID] = append(l.minted, inv), uses
	})
	return nil
}

func (l *ledger) revoke(s *server, bearer string, inv minted) error {
	l.mu.Lock()
	l.doomed[inv.ID] = true
	l.mu.Unlock()
	a, err := s.try(bearer, http.MethodPost, "/invitations/"+inv.ID+"/revoke", nil)
	if err != nil {
		return err
	}
	l.note(func() {
		if a.Status != http.StatusOK {
			l.wrong = append(l.wrong, "revoke: "+a.String())
			return
		}
		l.revoked[inv.ID] = true
	})
	return nil
}

// redeem offers a new nonce or, one time in three, one that was offered before.
func (l *ledger) redeem(s *server, bearer string, inv minted) error {
	l.mu.Lock()
	nonce, known := fmt.Sprintf("guest-%016x", rand.Uint64()), l.nonces[inv.ID]
	if len(known) > 0 && rand.IntN(3) == 0 {
		nonce = known[rand.IntN(len(known))]
	} else {
		l.nonces[inv.ID] = append(known, nonce)
	}
	l.mu.Unlock()
	return l.offer(s, bearer, inv, nonce)
}

// offer redeems, and holds the answer against all that was acknowledged before the question.
func (l *ledger) offer(s *server, bearer string, inv minted, nonce string) error {
	who := [2]string{inv.ID, nonce}
	l.mu.Lock()
	in, gone := l.admitted[who], l.revoked[inv.ID]
	l.mu.Unlock()
	a, err := s.try(bearer, http.MethodPost, "/invitations/redeem", members{"token": inv.Token, "nonce": nonce})
	if err != nil {
		return err
	}
	l.note(func() {
		adm := a.Get("admission", "id")
		switch {
		case a.Status == http.StatusOK && !gone && adm != "" && (in == "" || in == adm):
			if l.admitted[who] == "" {
				l.admitted[who] = adm
				l.redeemed = append(l.redeemed, redemption{inv, nonce, adm})
			} else if l.admitted[who] != adm {
				l.wrong = append(l.wrong, fmt.Sprintf("one nonce got the admissions %s and %s", adm, l.admitted[who]))
			}
		case a.Status == http.StatusConflict && a.Get("code") == "used" && in == "":
		case a.Status == http.StatusGone && a.Get("code") == "revoked" && l.doomed[inv.ID]:
		default:
			l.wrong = append(l.wrong, fmt.Sprintf("redeem, admitted before by %q, revoked %t: %v", in, gone, a))
		}
	})
	return nil
}
