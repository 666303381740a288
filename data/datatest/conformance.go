package datatest

import (
	"context"
	"testing"

	"admitone/rooms"
)

// promise is one sentence of a Store's interface and what shows that it is kept.
type promise struct {
	says string
	kept func(t *trial)
}

// Conformance holds every kind of database against every promise of the Stores
// that data implements. The promises of one Store share a database, one after
// the other; each makes the rooms it needs.
func Conformance(t *testing.T) {
	for store, promises := range map[string][]promise{
		"rooms.Store":         roomsPromises(),
		"tokens.Store":        append(invitationsPromises(), withdrawalPromises()...),
		"tokens.Store claim":  claimPromises(),
		"tokens.RequestStore": requestsPromises(),
		"tokens.BatchStore":   batchesPromises(),
		"tokens.MoveStore":    movesPromises(),
		"tokens.EntryStore":   entriesPromises(),
		"tokens.DoorStore":    doorPromises(),
		"keys.Store":          keysPromises(),
		"hosts.Store":         hostsPromises(),
		"hosts.PasskeyStore":  passkeysPromises(),
		"tokens.Presence":     presencePromises(),
		"scs.CtxStore":        sessionsPromises(),
		"tokens.Store many":   selectionPromises(),
		"calendars":           calendarPromises(),
		"tokens.Store guests": attendancePromises(),
		"tokens.NamesStore":   namesPromises(),
		"hosts.SignIns":       signInsPromises(),
		"hosts.Factors":       factorsPromises(),
		"oauth.Store":         append(appsPromises(), grantsPromises()...),
		"oauth.KeyStore":      apiKeysPromises(),
		"outbox.Store":        outboxPromises(),
		"mail.Store":          append(mailPromises(), toldPromises()...),
	} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			Each(t, func(t *testing.T, b *Bench) {
				raw, own := b.Raw(t), &rooms.IDs{}
				for _, p := range promises {
					t.Run(p.says, func(t *testing.T) {
						p.kept(&trial{T: t, Bench: b, ctx: context.Background(), raw: raw, now: b.Clock.Millis(), own: own})
					})
				}
			})
		})
	}
}
