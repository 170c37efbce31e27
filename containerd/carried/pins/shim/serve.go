package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/pkg/sys/reaper"
	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"
)

// farewell is how long the end of what is under way may take.
const farewell = 5 * time.Second

// serve looks after containers, until the last is gone and containerd says so,
// or we are asked to end. It tells what happens at TTRPC_ADDRESS.
func (c call) serve(ctx context.Context) error {
	children, ends := make(chan os.Signal, 32), make(chan os.Signal, 1)
	// SIGPIPE is none of ours either. Ignored, it would be for the containers too.
	signal.Notify(children, unix.SIGCHLD, unix.SIGPIPE)
	signal.Notify(ends, unix.SIGINT, unix.SIGTERM)
	if err := reaper.SetSubreaper(1); err != nil {
		return err
	}
	ctx = context.WithValue(namespaces.WithNamespace(ctx, c.namespace), shim.OptsKey{}, shim.Opts{})
	ctx, end := shutdown.WithShutdown(ctx)
	defer end.Shutdown()
	publisher, err := shim.NewPublisher(os.Getenv("TTRPC_ADDRESS"))
	if err != nil {
		return err
	}
	tasks, err := task.NewTaskService(ctx, publisher, end)
	if err != nil {
		return err
	}
	server, err := ttrpc.NewServer(ttrpc.WithServerHandshaker(ttrpc.UnixSocketRequireSameUser()))
	if err != nil {
		return err
	}
	api.RegisterTTRPCTaskService(server, newService(tasks))
	listener, err := net.Listen("unix", c.socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ctx, listener) }()
	for {
		select {
		case <-children:
			// An error is that there are none left.
			_ = reaper.Reap()
		case <-ends:
			end.Shutdown()
		case err := <-failed:
			if ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
			select {
			case <-end.Done():
				return nil
			case <-time.After(farewell):
				return errors.New("did not come to an end in time")
			}
		}
	}
}

// service is the service, which gives back the memory that a start has needed.
type service struct {
	api.TTRPCTaskService
	outputs *outputs
}

func newService(tasks api.TTRPCTaskService) service {
	return service{tasks, &outputs{of: map[string][]*outputFile{}}}
}

// settled is when a started container's shim has nothing more to do.
const settled = 10 * time.Second

// Start starts a process.
func (s service) Start(ctx context.Context, r *api.StartRequest) (*api.StartResponse, error) {
	answer, err := s.TTRPCTaskService.Start(ctx, r)
	if r.ExecID == "" {
		time.AfterFunc(settled, debug.FreeOSMemory)
	}
	return answer, err
}
