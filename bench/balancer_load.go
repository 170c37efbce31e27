package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// send sends requests for a while, as many at once as there are streams, and
// returns how long each answer took. The client is h2load on one thread: it
// speaks both protocols and needs less processor time than any proxy.
func (w workload) send(ctx context.Context, address string, d time.Duration, dir string) ([]time.Duration, error) {
	log := filepath.Join(dir, "h2load.log")
	if err := os.Remove(log); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	args := []string{
		"--threads=1", "--clients=" + strconv.Itoa(w.conns), "--max-concurrent-streams=" + strconv.Itoa(w.streams),
		fmt.Sprintf("--duration=%dms", d.Milliseconds()), "--log-file=" + log,
		"--header=user-agent: bench", "--header=accept: */*",
	}
	if !w.http2 {
		args = append(args, "--h1")
	}
	if _, err := command(ctx, "h2load", append(args, w.scheme+"://"+address+w.path)...); err != nil {
		return nil, err
	}
	f, err := os.Open(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseLoadLog(f)
}

// parseLoadLog reads h2load's lines, one for each answer: when the request began,
// the status, and how long it took; times are in microseconds.
func parseLoadLog(r io.Reader) ([]time.Duration, error) {
	var times []time.Duration
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || fields[1] != "200" {
			return nil, fmt.Errorf("h2load: not an answer with status 200: %q", lines.Text())
		}
		took, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("h2load: %w", err)
		}
		times = append(times, time.Duration(took)*time.Microsecond)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("h2load: %w", err)
	}
	if len(times) == 0 {
		return nil, errors.New("h2load: no answers")
	}
	return times, nil
}
