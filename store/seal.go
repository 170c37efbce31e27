package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Key is the key that secrets are sealed with: AES-256.
type Key [32]byte

// ErrBadKey says that a file holds something else than a key.
var ErrBadKey = errors.New("not a key")

// LoadKey reads the key in a file. The file must not be kept where the journal is:
// whoever has both has the secrets.
func LoadKey(path string) (Key, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("read the key of secrets: %w", err)
	}
	if len(b) != len(Key{}) {
		return Key{}, fmt.Errorf("read the key of secrets: %w: %s has %d bytes, not %d", ErrBadKey, path, len(b), len(Key{}))
	}
	return Key(b), nil
}

// MakeKey writes a new key into a file, which only its owner can read, in place of
// what is there. A crash leaves the whole of it or what was before.
func MakeKey(path string) (k Key, err error) {
	rand.Read(k[:])
	defer func() {
		if err != nil {
			err = fmt.Errorf("make the key of secrets: %w", err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return k, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(k[:]); err != nil {
		return k, err
	}
	if err := f.Sync(); err != nil {
		return k, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return k, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return k, err
	}
	defer dir.Close()
	return k, dir.Sync()
}

// sealedMark is the first byte of an encrypted value, which no JSON begins with.
// The nonce follows, then the ciphertext.
const sealedMark = 1

// ErrSealed holds for the error of loading a value that was sealed with another
// key, or for another record.
var ErrSealed = errors.New("sealed with another key, or damaged")

// Sealed reports whether a value, as the journal below [Seal] has it, is sealed.
func Sealed(value []byte) bool { return len(value) > 0 && value[0] == sealedMark }

type sealed struct {
	Journal
	aead cipher.AEAD
}

// Seal makes a journal that encrypts the values of secret writes before j sees
// them (AES-256-GCM with a random nonce, bound to the record's key) and decrypts
// them when they are loaded.
func Seal(j Journal, key Key) Journal {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key's length is right
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &sealed{j, aead}
}

// Load implements [Journal].
func (s *sealed) Load(ctx context.Context, yield func(string, []byte) error) (Revision, error) {
	return s.Journal.Load(ctx, func(key string, value []byte) error {
		value, err := s.unseal(key, value)
		if err != nil {
			return err
		}
		return yield(key, value)
	})
}

// Follow implements [Journal].
func (s *sealed) Follow(ctx context.Context, from Revision, yield func(Commit) error) error {
	return s.Journal.Follow(ctx, from, func(c Commit) error {
		plain := make([]Write, len(c.Writes))
		for i, w := range c.Writes {
			value, err := s.unseal(w.Key, w.Value)
			if err != nil {
				return err
			}
			plain[i] = Write{w.Key, value, Sealed(w.Value)}
		}
		return yield(Commit{c.Revision, plain})
	})
}

// unseal decrypts a value that is sealed.
func (s *sealed) unseal(key string, value []byte) ([]byte, error) {
	if !Sealed(value) {
		return value, nil
	}
	plain, err := s.aead.Open(nil, nil, value[1:], []byte(key))
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", key, ErrSealed)
	}
	return plain, nil
}

// Unseals reports whether key opens a value that is sealed.
func Unseals(key Key, name string, value []byte) bool {
	_, err := Seal(nil, key).(*sealed).aead.Open(nil, nil, value[1:], []byte(name))
	return err == nil
}

// Commit implements [Journal].
func (s *sealed) Commit(ctx context.Context, epoch Epoch, writes []Write) (Revision, error) {
	out := make([]Write, len(writes))
	for i, w := range writes {
		if w.Secret && w.Value != nil {
			w.Value = s.aead.Seal([]byte{sealedMark}, nil, w.Value, []byte(w.Key))
		}
		out[i] = w
	}
	return s.Journal.Commit(ctx, epoch, out)
}
