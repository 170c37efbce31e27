package node

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"fargo/desired"
	"fargo/host"
)

const (
	// credentialsRetry is the time between attempts after a refusal.
	credentialsRetry = 30 * time.Second
	// credentialsCheck is the longest time that the machine's clock is not looked at,
	// which may be set, or have stood still.
	credentialsCheck = 10 * time.Minute
)

// credentialsPeriod is the period of a task's credentials, and when the next begins.
// Those of different tasks begin at different times.
func credentialsPeriod(taskID string, now time.Time) (period int64, until time.Time) {
	var offset time.Duration
	if id, err := hex.DecodeString(taskID); err == nil && len(id) >= 8 {
		offset = time.Duration(binary.BigEndian.Uint64(id) % uint64(desired.CredentialsPeriod))
	}
	since := time.Duration(now.UnixNano()) + offset
	period = int64(since / desired.CredentialsPeriod)
	return period, now.Add(desired.CredentialsPeriod - since%desired.CredentialsPeriod)
}

// credentialsIDs name the credentials of a task's role in this period and in the one
// before, which are good yet.
func credentialsIDs(a *desired.Assignment, now time.Time) []desired.SecretID {
	period, _ := credentialsPeriod(a.ID, now)
	return []desired.SecretID{desired.TaskCredentialsOf(a.TaskARN, period), desired.TaskCredentialsOf(a.TaskARN, period-1)}
}

// credentialsHolder holds the credentials of a task's role.
func credentialsHolder(a *desired.Assignment) string { return "credentials of " + a.TaskARN }

// keepCredentials has the credentials of a task's role at hand, the next ones as soon as
// their period begins, until ctx ends.
func (n *Node) keepCredentials(ctx context.Context, a *desired.Assignment) {
	for ctx.Err() == nil {
		now := time.Now()
		_, until := credentialsPeriod(a.ID, now)
		ids := credentialsIDs(a, now)
		n.secrets.hold(credentialsHolder(a), ids)
		bounded, cancel := context.WithDeadline(ctx, until)
		_, err := n.secrets.get(bounded, ids[0])
		cancel()
		wait := min(time.Until(until), credentialsCheck)
		if err != nil && ctx.Err() == nil {
			n.cfg.Logger.Warn("a task has no new credentials", "task", a.ID, "role", a.TaskRole, "err", err)
			wait = min(wait, credentialsRetry)
		}
		pause(ctx, wait)
	}
}

// Credentials gives those of a task's role: of this period, or, while the control plane
// is away, of the one before. When none is at hand, it waits for them for as long as ctx
// lasts.
func (n *Node) Credentials(ctx context.Context, t *host.Task) (c desired.RoleCredentials, err error) {
	now := time.Now()
	ids := credentialsIDs(t.Assignment, now)
	known := n.secrets.known(ids)
	for _, id := range ids {
		value, ok := known[id]
		if ok && json.Unmarshal([]byte(value.Reveal()), &c) == nil && now.Before(c.Expiration) {
			return c, nil
		}
	}
	value, err := n.secrets.get(ctx, ids[0])
	if err != nil {
		return desired.RoleCredentials{}, err
	}
	if json.Unmarshal([]byte(value.Reveal()), &c) != nil { // the error might show it
		return desired.RoleCredentials{}, errors.New("the credentials cannot be read")
	}
	if !now.Before(c.Expiration) {
		return desired.RoleCredentials{}, errors.New("the credentials have expired")
	}
	return c, nil
}
