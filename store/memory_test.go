package store_test

import (
	"testing"

	"fargo/store"
	"fargo/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Opener {
		m := store.NewMemory()
		return func() (store.Journal, error) { return m, nil }
	})
}
