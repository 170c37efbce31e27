// Command api is a small service to run as a task, with what a lesson in operations
// needs: it shows its version, uses CPU and memory, crashes and drains on request. It
// depends on nothing but its environment variables.
//
//	api               serves on $PORT (8080)
//	api healthcheck   exits 0 when that service is healthy, or 1
//	api function      is a function of Lambda, by AWS's runtime interface client
//	api router        is a log router of FireLens: see router.go
//	curl …            when called by this name: see curl.go
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// version is stamped by -ldflags "-X main.version=v1.3.0"; the environment's
// VERSION overrides it.
var version = "devel"

// drainTime bounds the wait for requests under way. It is below the 30 seconds
// that ECS gives a container by default between SIGTERM and SIGKILL.
const drainTime = 25 * time.Second

func main() {
	if filepath.Base(os.Args[0]) == "curl" {
		os.Exit(curl(os.Args[1:], os.Stdout, os.Stderr))
	}
	port := env("PORT", "8080")
	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
		os.Exit(healthcheck("http://127.0.0.1:" + port + "/health"))
	}
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if len(os.Args) > 1 && os.Args[1] == "function" {
		lambda.Start(function{logger}.handle)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "router" {
		r := &router{out: os.Stdout}
		err := r.readConfig("/fluent-bit/etc/fluent-bit.conf")
		if err == nil {
			err = r.run(ctx)
		}
		if err != nil {
			logger.Error("cannot route", "err", err)
			os.Exit(1)
		}
		return
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err == nil {
		s := &service{version: env("VERSION", version), logger: logger, exit: os.Exit}
		logger.Info("listening", "address", listener.Addr().String(), "version", s.version)
		err = run(ctx, listener, s.handler(), logger)
	}
	if err != nil {
		logger.Error("cannot serve", "err", err)
		os.Exit(1)
	}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// run serves until ctx ends, and then until the requests under way have.
func run(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	logger.Info("draining")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return err
	}
	logger.Info("drained")
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// healthcheck returns the exit code of a container health check.
func healthcheck(url string) int {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return 1
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}
