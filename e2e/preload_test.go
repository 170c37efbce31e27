//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Three quarters of the time that a command of the client takes are spent on loading its
// modules and models. A preloaded client has loaded them, and forks for each command.
//
// Its directory has
//
//	command   the client
//	aws       this program, which asks at the socket instead
//	socket    where the client waits, if it can be preloaded

// preloader is testdata/client, which makes Python wait for commands.
const preloader = "testdata/client"

// preload starts a client that waits for commands until the test ends, and gives the path
// of the command to run. Only a client that the machine's Python runs can wait.
func preload(t *testing.T, c client) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "aws-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"aws": self, "command": c.path} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	modules, err := filepath.Abs(preloader)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(c.path)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+modules, "PYTHONDONTWRITEBYTECODE=1", "AWS_PRELOAD="+filepath.Join(dir, "socket"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // one that cannot be preloaded has failed for want of arguments
	})
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Logf("%s is not preloaded", c.name)
	}
	return filepath.Join(dir, "aws")
}

// preloaded runs a command of the client as the program aws, and gives its exit status.
func preloaded(args []string) int {
	status, err := ask(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 255
	}
	return status
}

// ask has the client that waits run a command, or becomes the client where none does.
func ask(args []string) (int, error) {
	found, err := exec.LookPath("aws")
	if err != nil {
		return 0, err
	}
	link, err := os.Readlink(found)
	if err != nil {
		return 0, err
	}
	dir := filepath.Dir(link)
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: filepath.Join(dir, "socket")})
	if err != nil || !sameNamespaces(conn) {
		command, err := os.Readlink(filepath.Join(dir, "command"))
		if err != nil {
			return 0, err
		}
		return 0, syscall.Exec(command, append([]string{command}, args...), os.Environ())
	}
	directory, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	request, err := json.Marshal(map[string]any{"arguments": args, "directory": directory, "environment": os.Environ()})
	if err != nil {
		return 0, err
	}
	request = append(request, '\n')
	n, _, err := conn.WriteMsgUnix(request, syscall.UnixRights(0, 1, 2), nil)
	if err != nil {
		return 0, err
	}
	if _, err := conn.Write(request[n:]); err != nil {
		return 0, err
	}
	status, err := io.ReadAll(conn)
	if err != nil || len(status) != 1 {
		return 0, fmt.Errorf("the client has ended without a status: %w", err)
	}
	return int(status[0]), nil
}

// sameNamespaces reports whether the client that waits sees the network and the files that
// this process does.
func sameNamespaces(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var peer *syscall.Ucred
	if raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}) != nil || err != nil {
		return false
	}
	for _, name := range []string{"net", "mnt"} {
		mine, _ := os.Readlink("/proc/self/ns/" + name)
		theirs, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", peer.Pid, name))
		if !strings.HasPrefix(mine, name) || mine != theirs {
			return false
		}
	}
	return true
}
