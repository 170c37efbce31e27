package main

import (
	"os"

	"fargo/containerd/confined"
)

// imageCommand is the process in which a node reads an image, which is untrusted.
type imageCommand struct{}

// Run serves one request from its standard input.
func (*imageCommand) Run() error { return confined.Serve(os.Stdin, os.Stdout) }

// imageHelper is its command line.
func imageHelper() []string { return []string{"/proc/self/exe", "image"} }
