package worker

import (
	"fmt"
	"net"
	"os"
)

// controlFD is the descriptor with which a worker finds its control socket: the
// first after the standard ones.
const controlFD = 3

// Listen makes the control socket of a process that is about to be started, which
// must get the file as its first descriptor after the standard ones. Whoever
// connects from now on waits for it. The caller closes the file; the path stays.
func Listen(path string) (*os.File, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	return l.File()
}

// Control is the control socket that a worker's process was started with.
func Control() (net.Listener, error) {
	f := os.NewFile(controlFD, "control socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}
