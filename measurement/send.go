package measurement

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"
)

// retryAfter is how long to wait after a refusal.
const retryAfter = 5 * time.Second

// send sends what there is, in order, until ctx ends.
func (m *Meter) send(ctx context.Context) {
	for ctx.Err() == nil {
		number, ok := m.next()
		if !ok {
			select {
			case <-ctx.Done():
			case <-m.wakeUp:
			}
			continue
		}
		if err := m.sendOne(ctx, number); err != nil && ctx.Err() == nil {
			m.cfg.Logger.Error("a measurement is not taken; it is sent again", "number", number, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(retryAfter):
			}
		}
	}
}

// next is the oldest measurement that was not taken.
func (m *Meter) next() (number uint64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.unsent) == 0 {
		return 0, false
	}
	return m.unsent[0], true
}

// sendOne sends one measurement, and forgets it when the control plane has it.
func (m *Meter) sendOne(ctx context.Context, number uint64) error {
	k, err := m.folder.load(number)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errDamaged):
		m.cfg.Logger.Error("a measurement is lost", "number", number, "err", err)
		return m.sent(number)
	case err != nil:
		return err
	}
	if err := m.cfg.Send(ctx, k.Measurements); err != nil {
		return err
	}
	return m.sent(number)
}

// sent forgets a measurement. The file of the last one stays, for its counts.
func (m *Meter) sent(number uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unsent = slices.DeleteFunc(m.unsent, func(n uint64) bool { return n == number })
	if number == m.last.Measurements.Number {
		return nil
	}
	return m.folder.remove(number)
}
