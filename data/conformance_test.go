package data_test

import (
	"testing"

	"admitone/data"
	"admitone/data/datatest"
)

// It does not run beside others, since all that is asked meanwhile is held to its plan.
func TestEveryDatabaseKeepsEveryPromise(t *testing.T) {
	_ = data.Asked()
	t.Cleanup(func() { noneLooksThroughAll(t, data.Asked()) })
	datatest.Conformance(t)
}
