package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ask asks for a while, with as many requests at once as there are streams, and
// returns how long each answer took. The client is h2load on one thread: it
// speaks both protocols and computes less than any proxy.
func (l demand) ask(ctx context.Context, address string, d time.Duration, dir string) ([]time.Duration, error) {
	log := filepath.Join(dir, "h2load.log")
	if err := os.Remove(log); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	args := []string{
		"--threads=1", "--clients=" + strconv.Itoa(l.conns), "--max-concurrent-streams=" + strconv.Itoa(l.streams),
		fmt.Sprintf("--duration=%dms", d.Milliseconds()), "--log-file=" + log,
		"--header=user-agent: bench", "--header=accept: */*",
	}
	if !l.http2 {
		args = append(args, "--h1")
	}
	ctx, cancel := context.WithTimeout(ctx, d+10*time.Second)
	defer cancel()
	if _, err := command(ctx, "h2load", append(args, l.scheme+"://"+address+l.path)...); err != nil {
		return nil, err
	}
	return readLoadLog(log)
}

// readLoadLog reads h2load's lines, one for each answer: when it was asked for,
// its status, and how long it took; times are in microseconds.
func readLoadLog(path string) ([]time.Duration, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var times []time.Duration
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || fields[1] != "200" {
			return nil, fmt.Errorf("h2load: an answer was not as wanted: %q", lines.Text())
		}
		took, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("h2load: %w", err)
		}
		times = append(times, time.Duration(took)*time.Microsecond)
	}
	if len(times) == 0 {
		return nil, fmt.Errorf("h2load: no answers")
	}
	return times, lines.Err()
}
