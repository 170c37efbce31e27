package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"fargo"
	"fargo/desired"
	"fargo/secret"
)

// How long to wait before trying again: doubling from the first to the last.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// ClientConfig is what a client is made of.
type ClientConfig struct {
	Target string // as gRPC names it: "unix:///run/fargo/node.sock"
	// Hello is what each session begins with; its Contract is the client's to fill in.
	Hello  desired.Hello
	Logger *slog.Logger
	// Options are added to the connection's: transport credentials, where the
	// control plane is another machine, in place of none.
	Options []grpc.DialOption
}

// Client is a node's end.
type Client struct {
	hello desired.Hello
	log   *slog.Logger
	conn  *grpc.ClientConn
}

// NewClient makes a client; nothing is dialed before it is used.
func NewClient(cfg ClientConfig) (*Client, error) {
	retry := backoff.Config{BaseDelay: firstRetry, Multiplier: 2, Jitter: 0.2, MaxDelay: lastRetry}
	conn, err := grpc.NewClient(cfg.Target, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: keepaliveTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{}), grpc.WaitForReady(true), grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithDisableServiceConfig(),
	}, cfg.Options...)...)
	if err != nil {
		return nil, fmt.Errorf("control plane at %s: %w", cfg.Target, err)
	}
	cfg.Hello.Contract = desired.Version
	return &Client{hello: cfg.Hello, log: cfg.Logger, conn: conn}, nil
}

// Run keeps a session open for n and t until ctx ends, and reconnects, with
// backoff, whenever it is lost. Then it closes the connection and returns nil.
func (c *Client) Run(ctx context.Context, n Node, t Targets) error {
	defer c.conn.Close()
	wait := firstRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := c.session(ctx, n, t)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > lastRetry {
			wait = firstRetry
		}
		c.log.Warn("control plane is not connected", "err", err, "retry", wait)
		wait = backOff(ctx, wait)
	}
	return nil
}

// backOff waits and returns the next wait.
func backOff(ctx context.Context, wait time.Duration) time.Duration {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	return min(2*wait, lastRetry)
}

// session serves n and t until the connection breaks.
func (c *Client) session(ctx context.Context, n Node, t Targets) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.conn.NewStream(ctx, &service.Streams[0], "/"+serviceName+"/Session")
	if err != nil {
		return err
	}
	// A control plane of a version without Hello knows the node by its former name.
	first := up{Node: cmp.Or(c.hello.Former, c.hello.ID), Contract: desired.Version, Hello: &c.hello}
	if err := stream.SendMsg(&first); err != nil {
		return err
	}
	received := make(chan error, 1)
	go func() { received <- c.receive(stream, n); cancel() }()
	sent := c.send(ctx, stream, n, t)
	cancel()
	if err := <-received; err != nil {
		return err
	}
	return sent
}

// receive hands n all that the control plane sends.
func (c *Client) receive(stream grpc.ClientStream, n Node) error {
	var state desired.State
	for {
		var m down
		if err := stream.RecvMsg(&m); err != nil {
			return err
		}
		switch {
		case m.Desired != nil:
			state = *m.Desired
		case m.Delta != nil:
			state = desired.Apply(state, m.Delta)
		default:
			n.Acknowledged(m.Acknowledged)
			continue
		}
		n.Assign(state)
	}
}

// send sends all reports, then each that changes.
func (c *Client) send(ctx context.Context, stream grpc.ClientStream, n Node, t Targets) error {
	var version uint64
	var sent []desired.TargetReport
	sentEmpty := false
	for {
		var m up
		reports, now, newTask := n.Reports(version)
		if version = now; len(reports) > 0 {
			m.Reports, m.Version = reports, now
		}
		health, newHealth := t.Health()
		m.Targets, sent = desired.Between(sent, health, targetKey).Put, health
		empty, maybeEmpty := n.Empty()
		m.Empty = empty && !sentEmpty
		sentEmpty = sentEmpty || empty
		if len(m.Reports)+len(m.Targets) > 0 || m.Empty {
			if err := stream.SendMsg(&m); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-newTask:
		case <-newHealth:
		case <-maybeEmpty:
		}
	}
}

func targetKey(r *desired.TargetReport) string { return fargo.TargetKey(r.Group, r.ID, r.Port) }

// OpenLog asks the control plane to check, and where it should, to create, the
// group and stream of target. It waits for the control plane for as long as
// ctx lasts; any other error is a refusal, in the words ECS would use.
func (c *Client) OpenLog(ctx context.Context, target desired.LogTarget) error {
	return c.call(ctx, "OpenLog", &target, &nothing{})
}

// AppendLogs delivers a batch and gives the position the control plane then
// holds for its source. It waits for the control plane for as long as ctx
// lasts. errdefs.IsNotFound holds for the error when group or stream are gone.
func (c *Client) AppendLogs(ctx context.Context, batch desired.LogBatch) (int64, error) {
	var held position
	err := c.call(ctx, "AppendLogs", &batch, &held)
	return held.To, err
}

// Secret gives a secret that something the node is assigned names. It waits for the
// control plane for as long as ctx lasts. errdefs.IsNotFound holds for the error when
// nothing names it; any other error is a refusal, in the words ECS would use.
func (c *Client) Secret(ctx context.Context, id desired.SecretID) (secret.Text, error) {
	var answer secretAnswer
	err := c.call(ctx, "Secret", &secretRequest{ID: id}, &answer)
	return answer.Value.Text, err
}

// TaskTags gives the tags of a task that the node is assigned. It waits for the control
// plane for as long as ctx lasts. errdefs.IsNotFound holds for the error when there is no
// such task.
func (c *Client) TaskTags(ctx context.Context, taskARN string) (map[string]string, error) {
	var answer tagsAnswer
	err := c.call(ctx, "TaskTags", &tagsRequest{taskARN}, &answer)
	return answer.Tags, err
}

// NextInvocation gives what a task that runs a function is to do. It waits for that, and
// for the control plane, for as long as ctx lasts. errdefs.IsNotFound holds for the error
// when the task runs no function.
func (c *Client) NextInvocation(ctx context.Context, taskARN string) (desired.Invocation, error) {
	var answer desired.Invocation
	err := c.call(ctx, "NextInvocation", &invocationRequest{taskARN}, &answer)
	return answer, err
}

// PutInvocationResult says how an invocation has ended. It waits for the control plane for
// as long as ctx lasts. errdefs.IsNotFound holds for the error when the task runs no such
// invocation.
func (c *Client) PutInvocationResult(ctx context.Context, r desired.InvocationResult) error {
	return c.call(ctx, "PutInvocationResult", &r, &nothing{})
}

// PutLogObject puts a load balancer's log into its bucket. It waits for the control plane
// for as long as ctx lasts. errdefs.IsNotFound holds for the error when the bucket does
// not take it.
func (c *Client) PutLogObject(ctx context.Context, o desired.LogObject) error {
	return c.call(ctx, "PutLogObject", &o, &nothing{})
}

// PutMeasurements hands up what the node has measured. It waits for the control plane for
// as long as ctx lasts.
func (c *Client) PutMeasurements(ctx context.Context, m desired.Measurements) error {
	return c.call(ctx, "PutMeasurements", &m, &nothing{})
}

// ReportExecSession tells the control plane what the node has seen of a session of ECS
// Exec. It waits for the control plane for as long as ctx lasts.
func (c *Client) ReportExecSession(ctx context.Context, r desired.ExecSessionReport) error {
	return c.call(ctx, "ReportExecSession", &r, &nothing{})
}

// DecryptExecKey has the control plane decrypt the data key of a session, in base64. It
// waits and fails as PutExecTranscript does.
func (c *Client) DecryptExecKey(ctx context.Context, k desired.ExecKey) (secret.Text, error) {
	var answer secretAnswer
	err := c.call(ctx, "DecryptExecKey", &k, &answer)
	return answer.Value.Text, err
}

// PutExecTranscript hands up what the client of a session was shown. It waits for the
// control plane for as long as ctx lasts. errdefs.IsNotFound holds for the error when the
// control plane knows no such session; any other error is a refusal.
func (c *Client) PutExecTranscript(ctx context.Context, t desired.ExecTranscript) error {
	return c.call(ctx, "PutExecTranscript", &t, &nothing{})
}

// call tries until there is an answer. All calls may be repeated.
func (c *Client) call(ctx context.Context, method string, in, out any) error {
	wait := firstRetry
	for {
		err := c.conn.Invoke(ctx, "/"+serviceName+"/"+method, in, out)
		switch s := status.Convert(err); {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case s.Code() == codes.NotFound:
			return errdefs.ErrNotFound.WithMessage(s.Message())
		case s.Code() == codes.FailedPrecondition:
			return errors.New(s.Message())
		default:
			c.log.Debug("control plane does not answer", "call", method, "err", err)
			wait = backOff(ctx, wait)
		}
	}
}
