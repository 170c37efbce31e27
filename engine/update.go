package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Get copies the value of a key.
func (e *Engine) Get(key []byte) (value []byte, found bool, err error) {
	v, closer, err := e.DB.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", e.what, err)
	}
	value = append([]byte(nil), v...)
	return value, true, closer.Close()
}

// Update calls fn as the only writer, and makes the batch that fn fills durable. When fn
// fails nothing is written and its error is returned unchanged. The function that fn may
// return is called as soon as readers can see the batch, before the next writer.
func (e *Engine) Update(ctx context.Context, fn func(b *pebble.Batch) (seen func(), err error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.Write(func() error {
		b := e.DB.NewBatch()
		defer b.Close()
		if err := e.apply(b, fn); err != nil || b.Empty() {
			return err
		}
		if err := b.SyncWait(); err != nil {
			return e.Fail(fmt.Errorf("sync %s: %w", e.what, err))
		}
		return nil
	})
}

func (e *Engine) apply(b *pebble.Batch, fn func(b *pebble.Batch) (func(), error)) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	seen, err := fn(b)
	if err != nil || b.Empty() {
		return err
	}
	if err := e.DB.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return e.Fail(fmt.Errorf("write %s: %w", e.what, err))
	}
	if seen != nil {
		seen()
	}
	return nil
}
