package store_test

import (
	"testing"

	"fargo/store"
	"fargo/store/storetest"
)

func TestMemory(t *testing.T) {
	for name, limits := range map[string]store.Limits{"unlimited": store.Unlimited, "limited": {Ops: 200, Bytes: 20 << 20}} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(*testing.T) storetest.Opener {
				m := store.NewMemoryWithin(limits)
				return func() (store.Journal, error) { return m, nil }
			})
		})
	}
}
