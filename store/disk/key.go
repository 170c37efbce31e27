package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"fargo/store"
)

// KeyLost says that there are sealed records, and that the key is not what they
// were sealed with.
type KeyLost struct {
	File    string   // where the key is to be
	Why     string   // what is wrong with it
	Records []string // what is sealed, by key
}

// Error implements [error].
func (e *KeyLost) Error() string {
	return fmt.Sprintf("%s %s that %d records are sealed with: %s", e.File, e.Why, len(e.Records), strings.Join(e.Records, ", "))
}

// key reads the key in a file. One is made when there is none, or none that is
// whole, but only if nothing is sealed with what was there.
func (p *plain) key(file string) (store.Key, error) {
	key, err := store.LoadKey(file)
	why := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "is missing, the key"
	case errors.Is(err, store.ErrBadKey):
		why = "is damaged, the key"
	default:
		return key, err
	}
	sealed, err := p.sealed(context.Background())
	if err != nil {
		return store.Key{}, err
	}
	if len(sealed) > 0 {
		return store.Key{}, &KeyLost{file, why, sealed}
	}
	return store.MakeKey(file)
}

// sealed gives the keys of all records that are sealed.
func (p *plain) sealed(ctx context.Context) (keys []string, err error) {
	_, err = p.Load(ctx, func(key string, value []byte) error {
		if store.Sealed(value) {
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}
