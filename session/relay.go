package session

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Relay carries the messages of each connection to the other until one is lost or closed,
// and closes both: what is between a client and the agent on a node.
func Relay(ctx context.Context, a, b Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lost [2]error
	var both sync.WaitGroup
	both.Go(func() { lost[0] = carry(ctx, cancel, a, b) })
	both.Go(func() { lost[1] = carry(ctx, cancel, b, a) })
	both.Wait()
	return errors.Join(lost[0], lost[1], a.Close(), b.Close())
}

// lastTime is how long a connection that takes no more may still have messages to carry,
// the end of the session among them.
const lastTime = 5 * time.Second

// carry carries messages one way. It always ends with an error.
func carry(ctx context.Context, cancel context.CancelFunc, from, to Conn) error {
	for {
		message, err := from.Read(ctx)
		if err != nil {
			cancel() // there is nobody to carry messages to
			return err
		}
		if err := to.Write(ctx, message); err != nil {
			time.AfterFunc(lastTime, cancel)
			return err
		}
	}
}
