package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"fargo/store"
)

// Key says where the key is that secrets are sealed with.
type Key struct {
	// File has it. It is made if need be, and must not be below the journal's directory.
	File string
	// Value is the key itself, if it is in no file, and Name says where it is from.
	Value *store.Key
	Name  string
}

// KeyIn is the key in a file.
func KeyIn(file string) Key { return Key{File: file} }

// String says where the key is.
func (k Key) String() string {
	if k.Value != nil {
		return k.Name
	}
	return k.File
}

// load gives the key; the errors are those of [store.LoadKey].
func (k Key) load() (store.Key, error) {
	if k.Value != nil {
		return *k.Value, nil
	}
	return store.LoadKey(k.File)
}

// KeyLost says that there are sealed records, and that the key is not what they
// were sealed with.
type KeyLost struct {
	Where   string   // the key is to be
	Why     string   // what is wrong with it
	Records []string // what is sealed, by key
}

// Error implements [error].
func (e *KeyLost) Error() string {
	return fmt.Sprintf("%s %s that %d records are sealed with: %s", e.Where, e.Why, len(e.Records), strings.Join(e.Records, ", "))
}

// key reads the key. One is made when there is none in its file, or none that is
// whole, but only if nothing is sealed with what was there.
func (p *plain) key(of Key) (store.Key, error) {
	key, err := of.load()
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
		return store.Key{}, &KeyLost{of.String(), why, sealed}
	}
	return store.MakeKey(of.File)
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
