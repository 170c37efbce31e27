package iam

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"fargo/api"
	"fargo/record"
	"fargo/store"
)

// LastUse knows when users' access keys and roles were last used. What it has been told is
// in memory at once, and in the store within an hour: a crash may lose that much.
type LastUse struct {
	db  *store.DB
	log *slog.Logger
	mu  struct {
		sync.RWMutex
		of map[string]record.LastUse // what the store does not have yet, by [record.LastUse.ID]
	}
}

var _ api.Observer = (*LastUse)(nil)

// NewLastUse makes one; Run keeps what it is told.
func NewLastUse(db *store.DB, log *slog.Logger) *LastUse {
	u := &LastUse{db: db, log: log}
	u.mu.of = map[string]record.LastUse{}
	return u
}

// lastUseGrain is how exactly times are known.
// Source: IAM API, GetAccessKeyLastUsed, whose times are whole minutes.
const lastUseGrain = time.Minute

// Served implements [api.Observer]: it notes the user's key, or the role of a session.
// Requests that are denied count as well.
func (u *LastUse) Served(s *api.Served) {
	used := record.LastUse{ID: s.AccessKeyID, At: s.Started.UTC().Truncate(lastUseGrain), Service: s.Of.SigningName, Region: s.Region}
	switch {
	case s.Role != "":
		used.ID, _, _ = strings.Cut(s.PrincipalID, ":")
	case !strings.HasPrefix(used.ID, "AKIA"):
		return
	}
	u.mu.RLock()
	known := u.mu.of[used.ID]
	u.mu.RUnlock()
	if known == used {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !used.At.Before(u.mu.of[used.ID].At) {
		u.mu.of[used.ID] = used
	}
}

// of gives the last use of an access key or a role, by its id; ok is false if there is
// none.
func (u *LastUse) of(r store.Reader, id string) (used record.LastUse, ok bool) {
	u.mu.RLock()
	used, ok = u.mu.of[id]
	u.mu.RUnlock()
	if ok {
		return used, true
	}
	kept, ok := store.LastUses.Get(r, id)
	if !ok {
		return used, false
	}
	return *kept, true
}

// keepInterval is how often what is new is written to the store.
const keepInterval = time.Hour

// Run writes what is new to the store, now and then and when ctx ends.
func (u *LastUse) Run(ctx context.Context) error {
	tick := time.NewTicker(keepInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			u.keep(ctx)
		case <-ctx.Done():
			u.keep(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// keep writes what is new, and forgets keys and roles that are gone. What cannot be
// written is tried again the next time.
func (u *LastUse) keep(ctx context.Context) {
	u.mu.Lock()
	fresh := u.mu.of
	u.mu.of = map[string]record.LastUse{}
	u.mu.Unlock()
	err := u.db.Update(ctx, func(tx *store.Tx) error {
		there := map[string]bool{}
		for r := range store.Roles.All(tx) {
			there[*r.Role.RoleId] = true
		}
		for k := range store.AccessKeys.All(tx) {
			there[*k.Key.AccessKeyId] = true
		}
		for kept := range store.LastUses.All(tx) {
			if !there[kept.ID] {
				store.LastUses.Delete(tx, kept.ID)
			}
		}
		for id, used := range fresh {
			if there[id] {
				store.LastUses.Put(tx, &used)
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	u.log.Warn("the times of last use are not written", "err", err)
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, used := range fresh {
		if _, newer := u.mu.of[id]; !newer {
			u.mu.of[id] = used
		}
	}
}
