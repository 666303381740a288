package hosts

import (
	"context"

	"admitone/tokens/keys"
)

// hostsKey is what the key is kept as under which passwords, devices and addresses
// are told apart.
const hostsKey = "hosts key"

// rootsKey is the key of a store at its first start.
func rootsKey(root keys.Root) []byte { return root.Derive("hosts") }

// firstKey is that of the root under which the store was begun, and is sealed under
// this one from now on: another root is no other password of everybody's.
func firstKey(ctx context.Context, store Store, root keys.Root, previous *keys.Root) ([]byte, error) {
	box, err := store.Sealed(ctx, hostsKey, root.Seal(hostsKey, rootsKey(root)))
	if err != nil {
		return nil, err
	}
	key, err := root.Open(hostsKey, box)
	if err == nil || previous == nil {
		return key, err
	}
	if key, err = previous.Open(hostsKey, box); err != nil {
		return nil, err
	}
	return key, store.SealAgain(ctx, hostsKey, root.Seal(hostsKey, key))
}
