package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"fargo"
	"fargo/balancer"
	"fargo/balancer/worker"
	"fargo/instance"
	"fargo/kernel"
	"fargo/process"
)

// balancerCommand runs one of the processes that are this machine's load
// balancers. fargo node starts and configures them; they outlive it.
type balancerCommand struct {
	dataDir
	Speed float64 `default:"1"`
	// Number tells the processes of one machine apart.
	Number uint64 `default:"0"`
}

// balancerArgs is the command line of the load balancer processes of a node,
// but for their numbers.
func balancerArgs(inst *instance.Instance, flags machineFlags) []string {
	return []string{"balancer", "--data-dir", inst.Dir, "--speed", strconv.FormatFloat(flags.Speed, 'g', -1, 64)}
}

// requestGrace is how long requests may take to finish when a process is to end.
// Nothing waits for that: the other processes serve new ones.
const requestGrace = 5 * time.Minute

// Run serves until SIGTERM, after which it finishes the requests under way, or SIGINT,
// at which it ends at once.
func (c *balancerCommand) Run(log *slog.Logger) error {
	// With one thread that runs Go code a request costs least, for no second thread
	// is woken in vain. There are as many processes as processors.
	runtime.GOMAXPROCS(1)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	inst, err := instance.Find(c.DataDir)
	if err != nil {
		return err
	}
	build, err := buildOf(balancerArgs(inst, machineFlags{Speed: c.Speed}))
	if err != nil {
		return err
	}
	files := process.Files{Dir: inst.BalancerDir(), Number: c.Number}
	held, err := process.Acquire(files.Lock(), build)
	if err != nil {
		return fmt.Errorf("load balancer %d of %s: %w", c.Number, inst.Dir, err)
	}
	defer held.Close()
	control, err := worker.Control()
	if err != nil {
		return err
	}
	network, err := kernel.NewNetwork(kernel.Config{Instance: inst.ID, Logger: log})
	if err != nil {
		return err
	}
	server := balancer.New(balancer.Config{
		AccessLogs: inst.AccessLogsDir(),
		Network:    balancerNetwork{network},
		Logger:     log,
		Pace:       fargo.Pace(c.Speed),
		Turn:       c.Number,
	})
	err = serveBalancers(server, control, signals, files.RemoveSocket)
	return errors.Join(err, network.Close())
}

// serveBalancers runs a server until a signal has ended it. leave is called when it
// is not to be configured any more.
func serveBalancers(server *balancer.Server, control net.Listener, signals <-chan os.Signal, leave func() error) error {
	serving, stop := context.WithCancel(context.Background())
	defer stop()
	g, ctx := errgroup.WithContext(serving)
	g.Go(func() error { return worker.Serve(ctx, control, server) })
	g.Go(func() error { return server.Run(context.WithoutCancel(ctx)) }) // ended by Close
	g.Go(func() error {
		var s os.Signal
		select {
		case s = <-signals:
		case <-ctx.Done():
		}
		stop()
		err := leave()
		grace, cancel := context.WithTimeout(context.Background(), requestGrace)
		defer cancel()
		if s != syscall.SIGTERM {
			cancel()
		}
		go func() { // SIGINT after SIGTERM
			select {
			case <-signals:
				cancel()
			case <-grace.Done():
			}
		}()
		_ = server.Close(grace) // what was not done in time was cut
		return err
	})
	return g.Wait()
}
