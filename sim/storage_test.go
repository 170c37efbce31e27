package sim

import (
	"testing"

	"fargo/store"
	"fargo/store/storetest"
)

// A remote storage keeps the contract of journals.
func TestRemoteStorage(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Opener { return newRemoteStorage(1).open })
}

// So does one that refuses commits, loses answers to them, and changes its leader.
func TestUnreliableStorage(t *testing.T) {
	storetest.Contract(t, func(*testing.T) storetest.Opener {
		s := newRemoteStorage(2)
		s.setUnreliable(true)
		return func() (store.Journal, error) { return s.open() }
	})
}
