package data_test

import (
	"testing"

	"admitone/data/datatest"
)

func TestEveryDatabaseKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	datatest.Conformance(t)
}
