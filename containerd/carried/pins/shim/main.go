// Command shim is containerd's shim for runc with a main function of our own,
// which leaves out what costs time or rest: plugins, a collection of garbage every
// thirty seconds, and runc where a container is gone already. The service that it
// serves, and how it cleans up after a shim that died, are containerd's.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task/plugin"
	"github.com/containerd/containerd/v2/pkg/shim"
)

// call is how we were called, in containerd's words.
type call struct {
	namespace, id, socket, bundle string
	action                        string
}

func main() {
	c, known := parse(os.Args[1:])
	var err error
	switch {
	case known && c.action == "" && c.socket != "":
		err = c.serve(context.Background())
	case known && c.action == "delete" && c.over():
		err = c.answerDelete(os.Stdout)
	default:
		shim.RunShim(context.Background(), manager.NewShimManager("io.containerd.runc.v2"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shim:", err)
		os.Exit(1)
	}
}

// parse reads the arguments; known is false if we would not know what to do.
func parse(args []string) (c call, known bool) {
	flags := flag.NewFlagSet("shim", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.namespace, "namespace", "", "")
	flags.StringVar(&c.id, "id", "", "")
	flags.StringVar(&c.socket, "socket", "", "")
	flags.StringVar(&c.bundle, "bundle", "", "")
	flags.String("address", "", "")
	flags.String("publish-binary", "", "")
	if err := flags.Parse(args); err != nil {
		return call{}, false
	}
	c.action = flags.Arg(0)
	return c, true
}
