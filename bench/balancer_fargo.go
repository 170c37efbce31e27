package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/balancer/balancertest"
	"fargo/balancer/health"
	"fargo/balancer/worker"
	"fargo/desired"
	"fargo/secret"
)

// balancerProcessArg is the argument with which this program is a load balancer
// process, as `fargo balancer` is one: Fargo's data plane and nothing else.
const balancerProcessArg = "balancer"

// balancerPorts are where listeners are on loopback, by their own ports.
type balancerPorts map[uint16]uint16

// startBalancer starts as many load balancer processes as a node would, and waits
// until their targets are healthy.
func startBalancer(ctx context.Context, b *backend) (_ *proxy, err error) {
	plain, encrypted, err := freePorts()
	if err != nil {
		return nil, err
	}
	processes := &balancerProcesses{
		dir:   b.dir,
		ports: balancerPorts{80: netip.MustParseAddrPort(plain).Port(), 443: netip.MustParseAddrPort(encrypted).Port()},
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	checker := health.NewChecker(health.Config{Network: &balancertest.Loopback{}, Logger: log, Pace: 1})
	fleet := worker.NewFleet(worker.FleetConfig{Checker: checker, Processes: processes, Workers: worker.Workers(), Logger: log})
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ran := make(chan error, 1)
	go func() { ran <- fleet.Run(running) }()
	p := &proxy{name: "Fargo", addresses: map[string]string{"http": plain, "https": encrypted}}
	p.close = func(ctx context.Context) error {
		stop()
		select {
		case err := <-ran:
			checker.Close()
			return errors.Join(err, processes.kill(ctx))
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), processes.kill(ctx))
		}
	}
	defer func() {
		if err != nil {
			ctx, cancel := cleanup(ctx)
			defer cancel()
			err = errors.Join(fmt.Errorf("load balancer: %w", err), p.close(ctx))
		}
	}()
	config, groups, keys, err := b.balancer()
	if err != nil {
		return nil, err
	}
	if err := fleet.Set(ctx, []desired.Balancer{config}, groups, keys); err != nil {
		return nil, err
	}
	for _, c := range processes.started {
		p.pids = append(p.pids, c.PID())
	}
	return p, awaitHealthy(ctx, fleet, len(groups))
}

// balancerProcesses implements [worker.Processes] with this program.
type balancerProcesses struct {
	dir     string
	ports   balancerPorts
	started []*balancerProcess
}

type balancerProcess struct {
	cmd    *exec.Cmd
	socket string
	ended  chan struct{}
}

// Find implements [worker.Processes]: what runs, we have started.
func (b *balancerProcesses) Find(context.Context) ([]worker.Process, error) { return nil, nil }

// Start implements [worker.Processes].
func (b *balancerProcesses) Start() (worker.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &balancerProcess{socket: filepath.Join(b.dir, fmt.Sprintf("%d.sock", len(b.started))), ended: make(chan struct{})}
	ports, err := json.Marshal(b.ports)
	if err != nil {
		return nil, err
	}
	control, err := worker.Listen(p.socket)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	p.cmd = exec.Command(self, balancerProcessArg, string(ports))
	p.cmd.Stderr, p.cmd.ExtraFiles = os.Stderr, []*os.File{control}
	// A group of its own: an interrupt of ours goes to us, and we end it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if _, err := p.cmd.StdinPipe(); err != nil { // open for as long as we are there
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // killed, for that is how we end it
		close(p.ended)
	}()
	b.started = append(b.started, p)
	return p, nil
}

// kill kills all and waits for their ends.
func (b *balancerProcesses) kill(ctx context.Context) error {
	var errs []error
	for _, p := range b.started {
		errs = append(errs, p.Kill(), p.Wait(ctx))
	}
	return errors.Join(errs...)
}

// The methods of [worker.Process].

func (p *balancerProcess) PID() int       { return p.cmd.Process.Pid }
func (p *balancerProcess) Socket() string { return p.socket }
func (p *balancerProcess) Current() bool  { return true }
func (p *balancerProcess) Leave() error   { return p.Kill() }

func (p *balancerProcess) Kill() error {
	if err := p.cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func (p *balancerProcess) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serveBalancer is the load balancer process. It serves until it is killed, or its standard input
// ends, as it does when the parent ends.
func serveBalancer(config string) error {
	runtime.GOMAXPROCS(1) // as in fargo balancer
	var ports balancerPorts
	if err := json.Unmarshal([]byte(config), &ports); err != nil {
		return err
	}
	control, err := worker.Control()
	if err != nil {
		return err
	}
	server := balancer.New(balancer.Config{
		Network: &balancertest.Loopback{At: ports}, Pace: 1,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Run(ctx) })
	g.Go(func() error { return worker.Serve(ctx, control, server) })
	return g.Wait()
}

func awaitHealthy(ctx context.Context, fleet *worker.Fleet, want int) error {
	for {
		reports, newer := fleet.Health()
		healthy := 0
		for _, r := range reports {
			if r.State == string(elbv2.TargetHealthStateEnumHealthy) {
				healthy++
			}
		}
		if healthy == want {
			return nil
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d targets are healthy: %w", healthy, want, context.Cause(ctx))
		}
	}
}

// balancer is the configuration: a plain and an encrypted listener, rules that
// do not match and one that does, two target groups by weight.
func (b *backend) balancer() (config desired.Balancer, groups []desired.BalancerGroup, keys map[desired.SecretID]secret.Text, err error) {
	chain, err := os.ReadFile(b.chain)
	if err != nil {
		return config, nil, nil, err
	}
	key, err := os.ReadFile(b.key)
	if err != nil {
		return config, nil, nil, err
	}
	var tuples []elbv2.TargetGroupTuple
	for i, l := range b.targets {
		address := netip.MustParseAddrPort(l.Addr().String())
		arn := "arn:group-" + strconv.Itoa(i)
		groups = append(groups, desired.BalancerGroup{
			ARN: arn, Name: "targetgroup/" + strconv.Itoa(i),
			Group:   elbv2.TargetGroup{Protocol: elbv2.ProtocolEnumHttp, HealthCheckProtocol: elbv2.ProtocolEnumHttp, HealthCheckPath: new("/health")},
			Targets: []desired.BalancerTarget{{ID: address.Addr().String(), Port: int(address.Port()), Address: address, RegisteredAt: time.Unix(1, 0)}},
		})
		tuples = append(tuples, elbv2.TargetGroupTuple{TargetGroupArn: &arn, Weight: new(int32(targetWeights[i]))})
	}
	elsewhere := elbv2.Action{Type: elbv2.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbv2.FixedResponseActionConfig{StatusCode: new("404")}}
	forward := elbv2.Action{Type: elbv2.ActionTypeEnumForward, ForwardConfig: &elbv2.ForwardActionConfig{TargetGroups: tuples}}
	rule := func(priority string, action elbv2.Action, conditions ...elbv2.RuleCondition) desired.BalancerRule {
		return desired.BalancerRule{ARN: "arn:rule-" + priority, Priority: priority, Actions: []elbv2.Action{action}, Conditions: conditions}
	}
	rules := []desired.BalancerRule{
		rule("1", elsewhere, elbv2.RuleCondition{Field: new("host-header"), Values: []string{"admin.example.com"}}),
		rule("2", elsewhere, elbv2.RuleCondition{Field: new("path-pattern"), Values: []string{"/api/*", "/static/*"}}),
		rule("3", elsewhere, elbv2.RuleCondition{Field: new("http-header"), HttpHeaderConfig: &elbv2.HttpHeaderConditionConfig{HttpHeaderName: new("X-Canary"), Values: []string{"yes"}}}),
		rule("4", forward, elbv2.RuleCondition{Field: new("path-pattern"), Values: []string{"/small", "/large"}}),
		rule("default", elsewhere),
	}
	certificate := desired.Certificate{ARN: "arn:certificate", Chain: string(chain), KeyID: desired.CertificateKeyOf(string(chain))}
	config = desired.Balancer{
		ARN: "arn:balancer", Name: "app/bench/1", Interfaces: []desired.Interface{{ID: "eni-1"}},
		Listeners: []desired.BalancerListener{
			{ARN: "arn:http", Protocol: "HTTP", Port: 80, Rules: rules},
			{ARN: "arn:https", Protocol: "HTTPS", Port: 443, Rules: rules, Certificates: []desired.Certificate{certificate}, SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06"},
		},
	}
	return config, groups, map[desired.SecretID]secret.Text{certificate.KeyID: secret.New(string(key))}, nil
}
