package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Key is the key that secrets are sealed with: AES-256.
type Key [32]byte

// LoadKey reads the key in a file, which it makes, readable by its owner only,
// when there is none. The file must not be kept where the journal is: whoever
// has both has the secrets.
func LoadKey(path string) (Key, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return Key{}, fmt.Errorf("read the key of secrets: %w", err)
	}
	if len(b) != len(Key{}) {
		return Key{}, fmt.Errorf("read the key of secrets: %s has %d bytes, not %d", path, len(b), len(Key{}))
	}
	return Key(b), nil
}

// makeKey writes a new key so that a crash leaves the whole of it or nothing.
func makeKey(path string) (k Key, err error) {
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
	// Link, unlike Rename, leaves a key alone that somebody else has made meanwhile.
	if err := os.Link(f.Name(), path); err != nil {
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
func (s *sealed) Load(ctx context.Context, yield func(string, []byte) error) error {
	return s.Journal.Load(ctx, func(key string, value []byte) error {
		if len(value) == 0 || value[0] != sealedMark {
			return yield(key, value)
		}
		plain, err := s.aead.Open(nil, nil, value[1:], []byte(key))
		if err != nil {
			return fmt.Errorf("record %q was damaged or sealed with another key than this installation's", key)
		}
		return yield(key, plain)
	})
}

// Commit implements [Journal].
func (s *sealed) Commit(ctx context.Context, writes []Write) error {
	out := make([]Write, len(writes))
	for i, w := range writes {
		if w.Secret && w.Value != nil {
			w.Value = s.aead.Seal([]byte{sealedMark}, nil, w.Value, []byte(w.Key))
		}
		out[i] = w
	}
	return s.Journal.Commit(ctx, out)
}
