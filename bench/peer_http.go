package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// httpProcessArg is the argument with which this program is a server that does nothing:
// net/http, which Fargo's API is served by too, with an answer of the size that follows.
const httpProcessArg = "http"

// httpPeer is such a server.
type httpPeer struct {
	cmd     *exec.Cmd
	address string
}

// startHTTPPeer starts one whose answers have a body of size bytes.
func startHTTPPeer(size int) (*httpPeer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &httpPeer{cmd: exec.Command(self, httpProcessArg, strconv.Itoa(size))}
	p.cmd.Stderr = os.Stderr
	// A group of its own: an interrupt of ours goes to us, and we end it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if _, err := p.cmd.StdinPipe(); err != nil { // open for as long as we are there
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("a bare server: %w", err)
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

// close ends the server.
func (p *httpPeer) close(ctx context.Context) error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = wait(ctx, p.cmd) // killed, for that is how we end it
	return nil
}

// serveHTTP is the server. It ends with its standard input.
func serveHTTP(size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	answer := bytes.Repeat([]byte("x"), n)
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write(answer)
	}))
}
