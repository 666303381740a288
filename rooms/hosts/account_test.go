package hosts //nolint:testpackage // which tries names share shows nowhere else

import (
	"fmt"
	"testing"
	"time"

	"admitone/tokens/keys"
)

func TestHostsAndInventedNamesShareTheSameAccounts(t *testing.T) {
	t.Parallel()
	root, err := keys.NewRoot("a7Rq0ZkP4vXw9LmT2sYd8HcB5nJf3GuE") // gitleaks:allow
	if err != nil {
		t.Fatal(err)
	}
	set, err := Parse(`[{"username":"Ada","password":"correct horse"}]`)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGate(NewDirectory(root, nil, time.Now, set), nil, time.Now)
	accounts := map[string]bool{}
	for n := range 20_000 {
		accounts[g.account(fmt.Sprintf("name-%d", n))] = true
	}
	if len(accounts) < 16_000 || len(g.account("Ada")) != 4 || g.account("ada") != g.account("ADA") {
		t.Errorf("%d accounts; Ada's are %q and %q", len(accounts), g.account("ada"), g.account("ADA"))
	}
	for n := range 500_000 {
		if g.account(fmt.Sprintf("invented-%d", n)) == g.account("ada") {
			return
		}
	}
	t.Error("no invented name has Ada's account")
}
