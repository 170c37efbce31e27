package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/balancer/balancertest"
)

// balancerChild is the argument with which this program is a load balancer: a
// process with Fargo's data plane and nothing else, as nginx is one.
const balancerChild = "balancer"

// childConfig is what the child is told.
type childConfig struct {
	Targets    []netip.AddrPort
	Chain, Key string // files
}

// startBalancer starts the child and waits until its targets are healthy.
func startBalancer(ctx context.Context, set *balancerSet) (*proxy, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := childConfig{Chain: set.chain, Key: set.key}
	for _, l := range set.targets {
		c.Targets = append(c.Targets, netip.MustParseAddrPort(l.Addr().String()))
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, balancerChild, string(config))
	cmd.Stderr = os.Stderr
	// A group of its own: an interrupt of ours goes to us, and we end it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &proxy{name: "Fargo", pids: []int{cmd.Process.Pid}, close: func() error { return errors.Join(stdin.Close(), cmd.Wait()) }}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.addresses)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load balancer: %w", err), p.close())
	}
	return p, p.await(ctx)
}

// serveBalancer is the child: it says where it listens, and serves until its
// standard input ends, as it does with the parent.
func serveBalancer(config string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	var c childConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	network := &balancertest.Loopback{}
	server := balancer.New(balancer.Config{Network: network, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Pace: 1})
	b, groups, err := c.balancer()
	if err != nil {
		return err
	}
	if err := server.Set(ctx, []fargo.Balancer{b}, groups); err != nil {
		return err
	}
	if err := awaitHealth(ctx, server, len(groups)); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{
		"http": network.Addr("tcp", "eni-1", 80), "https": network.Addr("tcp", "eni-1", 443),
	}); err != nil {
		return err
	}
	return server.Run(ctx)
}

func awaitHealth(ctx context.Context, server *balancer.Server, want int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, errors.New("targets do not become healthy"))
	defer cancel()
	for {
		reports, _, changed := server.Health()
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
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// balancer is the configuration: a plain and an encrypted listener, rules that
// do not match and one that does, two target groups by weight.
func (c *childConfig) balancer() (b fargo.Balancer, groups []fargo.BalancerGroup, err error) {
	chain, err := os.ReadFile(c.Chain)
	if err != nil {
		return b, nil, err
	}
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return b, nil, err
	}
	var tuples []elbv2.TargetGroupTuple
	for i, address := range c.Targets {
		arn := "arn:group-" + strconv.Itoa(i)
		groups = append(groups, fargo.BalancerGroup{
			ARN: arn, Name: "targetgroup/" + strconv.Itoa(i),
			Group:   elbv2.TargetGroup{Protocol: elbv2.ProtocolEnumHttp, HealthCheckProtocol: elbv2.ProtocolEnumHttp, HealthCheckPath: new("/health")},
			Targets: []fargo.BalancerTarget{{ID: address.Addr().String(), Port: int(address.Port()), Address: address, RegisteredAt: time.Unix(1, 0)}},
		})
		tuples = append(tuples, elbv2.TargetGroupTuple{TargetGroupArn: &arn, Weight: new(int32(targetWeights[i]))})
	}
	elsewhere := elbv2.Action{Type: elbv2.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbv2.FixedResponseActionConfig{StatusCode: new("404")}}
	forward := elbv2.Action{Type: elbv2.ActionTypeEnumForward, ForwardConfig: &elbv2.ForwardActionConfig{TargetGroups: tuples}}
	rule := func(priority string, action elbv2.Action, conditions ...elbv2.RuleCondition) fargo.BalancerRule {
		return fargo.BalancerRule{ARN: "arn:rule-" + priority, Priority: priority, Actions: []elbv2.Action{action}, Conditions: conditions}
	}
	rules := []fargo.BalancerRule{
		rule("1", elsewhere, elbv2.RuleCondition{Field: new("host-header"), Values: []string{"admin.example.com"}}),
		rule("2", elsewhere, elbv2.RuleCondition{Field: new("path-pattern"), Values: []string{"/api/*", "/static/*"}}),
		rule("3", elsewhere, elbv2.RuleCondition{Field: new("http-header"), HttpHeaderConfig: &elbv2.HttpHeaderConditionConfig{HttpHeaderName: new("X-Canary"), Values: []string{"yes"}}}),
		rule("4", forward, elbv2.RuleCondition{Field: new("path-pattern"), Values: []string{"/small", "/large"}}),
		rule("default", elsewhere),
	}
	pair := fargo.KeyPair{ARN: "arn:certificate", Chain: string(chain), Key: string(key)}
	b = fargo.Balancer{
		ARN: "arn:balancer", Name: "app/bench/1", Interfaces: []fargo.Interface{{ID: "eni-1"}},
		Listeners: []fargo.BalancerListener{
			{ARN: "arn:http", Protocol: "HTTP", Port: 80, Rules: rules},
			{ARN: "arn:https", Protocol: "HTTPS", Port: 443, Rules: rules, Certificates: []fargo.KeyPair{pair}, SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06"},
		},
	}
	return b, groups, nil
}
