package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"fargo/desired"
	"fargo/secret"
)

// secrets are those that the node has: in this process, and, for the next one, in a
// file each of a directory whose files are in memory too. A secret is there from when
// it is first asked for until nobody holds it.
type secrets struct {
	dir  string
	link Link
	log  *slog.Logger

	mu struct {
		sync.Mutex
		values  map[desired.SecretID]secret.Text
		holders map[string][]desired.SecretID // ids by who needs them: a task's ARN, or dataPlaneHolder
	}
}

// dataPlaneHolder holds what load balancers need.
const dataPlaneHolder = "data plane"

// secretFile is a secret in its file.
type secretFile struct {
	ID    desired.SecretID `json:"id"`
	Value secret.Exposed   `json:"value"`
}

func newSecrets(dir string, link Link, log *slog.Logger) *secrets {
	s := &secrets{dir: dir, link: link, log: log}
	s.mu.values = map[desired.SecretID]secret.Text{}
	s.mu.holders = map[string][]desired.SecretID{}
	return s
}

// load reads what the process before has left. What cannot be read is removed: it can
// be asked for again.
func (s *secrets) load() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("loading secrets: %w", err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("loading secrets: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		var f secretFile
		path := filepath.Join(s.dir, e.Name())
		err := load(path, &f)
		if err == nil && path != s.path(f.ID) {
			err = fmt.Errorf("%w: it is another secret's", errBroken)
		}
		if err == nil {
			s.mu.values[f.ID] = f.Value.Text
			continue
		}
		s.log.Warn("a secret of the process before is asked for again", "file", e.Name(), "err", err)
		if err := RemoveAll(path); err != nil {
			return fmt.Errorf("loading secrets: %w", err)
		}
	}
	return nil
}

// path is a secret's file. Its name has no part of an id, which has slashes.
func (s *secrets) path(id desired.SecretID) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:16]))
}

// hold says which secrets someone needs, in place of those before. A secret that
// nobody holds any more is dropped.
func (s *secrets) hold(holder string, ids []desired.SecretID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.mu.holders[holder]
	if slices.Equal(before, ids) {
		return
	}
	if s.mu.holders[holder] = ids; len(ids) == 0 {
		delete(s.mu.holders, holder)
	}
	for _, id := range before {
		s.dropUnheld(id)
	}
}

// dropAllUnheld drops what the process before has left for nobody.
func (s *secrets) dropAllUnheld() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.mu.values {
		s.dropUnheld(id)
	}
}

// dropUnheld forgets a secret unless somebody holds it. mu is held.
func (s *secrets) dropUnheld(id desired.SecretID) {
	if s.held(id) {
		return
	}
	delete(s.mu.values, id)
	if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("a secret stays that nobody needs", "secret", id, "err", err)
	}
}

// held reports whether somebody holds a secret. mu is held.
func (s *secrets) held(id desired.SecretID) bool {
	for _, ids := range s.mu.holders {
		if slices.Contains(ids, id) {
			return true
		}
	}
	return false
}

// add takes in a secret that was found elsewhere, if somebody holds it.
func (s *secrets) add(found desired.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.held(found.ID) {
		return
	}
	s.mu.values[found.ID] = found.Value
	data, err := json.Marshal(secretFile{found.ID, secret.Exposed{Text: found.Value}})
	if err == nil {
		err = replace(s.path(found.ID), data, 0o600)
	}
	if err != nil {
		s.log.Warn("a secret is not kept for the next process, which has to ask for it", "secret", found.ID, "err", err)
	}
}

// get gives a secret that is there, or asks the control plane for it, and waits for as
// long as ctx lasts.
func (s *secrets) get(ctx context.Context, id desired.SecretID) (secret.Text, error) {
	s.mu.Lock()
	value, known := s.mu.values[id]
	s.mu.Unlock()
	if known {
		return value, nil
	}
	value, err := s.link.Secret(ctx, id)
	if err != nil {
		return secret.Text{}, err
	}
	s.add(desired.Secret{ID: id, Value: value})
	return value, nil
}

// known are those of several secrets that are there.
func (s *secrets) known(ids []desired.SecretID) map[desired.SecretID]secret.Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	values := make(map[desired.SecretID]secret.Text, len(ids))
	for _, id := range ids {
		if value, known := s.mu.values[id]; known {
			values[id] = value
		}
	}
	return values
}

// getAll gets several secrets at once. missing are the errors of those that cannot be
// had before ctx ends.
func (s *secrets) getAll(ctx context.Context, ids []desired.SecretID) (values map[desired.SecretID]secret.Text, missing []error) {
	values = make(map[desired.SecretID]secret.Text, len(ids))
	var mu sync.Mutex
	var all sync.WaitGroup
	parallel := make(chan struct{}, secretsAtOnce)
	for _, id := range ids {
		parallel <- struct{}{}
		all.Go(func() {
			defer func() { <-parallel }()
			value, err := s.get(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				missing = append(missing, fmt.Errorf("secret %s: %w", id, err))
				return
			}
			values[id] = value
		})
	}
	all.Wait()
	return values, missing
}

// secretsAtOnce is how many secrets are asked for at the same time.
const secretsAtOnce = 16
