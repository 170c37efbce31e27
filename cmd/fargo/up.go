package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"fargo"
	"fargo/api/forward"
	"fargo/aws/sigv4"
	"fargo/instance"
	"fargo/lambda"
	"fargo/process"
)

// upCommand runs everything on this machine, in the foreground.
type upCommand struct {
	dataDir
	keyFlag
	machineFlags
	tlsFlags
	Listen               string   `default:"${listen}" help:"Where to serve the AWS APIs and the registry (${default})." placeholder:"ADDR"`
	StrictEgress         bool     `help:"Fail a task whose subnet has no NAT gateway, endpoint or public address by which Fargate would reach its images and logs: without it, up warns, and the machine fetches them."`
	TaskEndpoint         string   `enum:"on,off" default:"on" help:"Whether containers have AWS_ENDPOINT_URL, so that their code finds these APIs without names of AWS (${default}). What an image or a task definition sets stays." placeholder:"on|off"`
	BeginAnew            bool     `help:"Make parts of the data directory anew that are gone: without it, up refuses to start without them."`
	ElasticIPs           int      `name:"elastic-ips" default:"5" help:"How many Elastic IP addresses an account may have in a region (${default}, as on AWS)." placeholder:"N"`
	IAM                  iamMode  `name:"iam" enum:"enforce,audit,off" default:"enforce" help:"What IAM policies do (${default}): enforce refuses what they do not allow, as AWS does; audit allows it and logs what would have been refused; off lets every key do everything." placeholder:"enforce|audit|off"`
	Throttle             bool     `help:"Keep the rates at which AWS throttles calls of ECS, so that clients' retries can be tried: ThrottlingException, for an account in a region."`
	AcceptAnyCredentials bool     `help:"Let in whoever comes, without checking signatures. Only for a machine nobody else can reach."`
	Lambda               []string `sep:"none" help:"What a function of Lambda stands for, by its name or ARN. A URL gets the event in a POST. A task definition, FAMILY or FAMILY:REVISION, is run on Fargate for each event, which its container gets by Lambda's runtime API, as images for Lambda do: in the cluster default and the default VPC, unless \",cluster=NAME\", \",subnet=ID\" or \",security-group=ID\" follow (the last two can be repeated). Without a mapping, what would call the function is refused. Can be repeated." placeholder:"NAME=URL|TASKDEF"`
	Forward              []string `sep:"none" help:"Send requests for these services (sqs, sns, dynamodb) on to something that has them, after checking who calls. They are signed anew, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of this command's environment, or else with \"test\". Version 1 of the aws command needs --endpoint-url for sqs: without it, it goes to queue.amazonaws.com. Can be repeated." placeholder:"SERVICE,…=URL"`
}

// iamMode is what IAM policies do.
type iamMode string

// The modes: what policies do not allow is refused, is logged, or is not asked about.
const (
	iamEnforce iamMode = "enforce"
	iamAudit   iamMode = "audit"
	iamOff     iamMode = "off"
)

// defaultListen is reachable from this machine only.
const defaultListen = "127.0.0.1:4566"

// Run serves until a signal. SIGTERM leaves the tasks running, to be adopted by the
// next up; SIGINT ends them and removes what they had.
func (c *upCommand) Run(ctx context.Context, std *stdio, log *slog.Logger) error {
	if os.Geteuid() != 0 {
		return errors.New("fargo up makes network namespaces, mounts and control groups: run it as root")
	}
	if c.Speed <= 0 {
		return fmt.Errorf("--speed must be above 0, not %v", c.Speed)
	}
	mappings, err := lambda.ParseMappings(c.Lambda)
	if err != nil {
		return fmt.Errorf("--lambda: %w", err)
	}
	forwarded, err := forward.New(c.Forward, forwardCredentials())
	if err != nil {
		return fmt.Errorf("--forward: %w", err)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)

	inst, err := instance.Open(c.DataDir)
	if err != nil {
		return err
	}
	public := c.publicRange(inst)
	if err := checkPublicRange(public); err != nil {
		return err
	}
	held, err := process.Acquire(inst.UpLock(), version)
	if err != nil {
		return fmt.Errorf("%s: %w", inst.Dir, err)
	}
	defer held.Close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	certificates, err := c.open(listener.Addr(), log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if certificates == nil && isPublic(listener.Addr()) {
		log.Warn("other machines can reach " + c.Listen + ", and what they send and get is not encrypted: see --tls")
	}
	if c.AcceptAnyCredentials {
		log.Warn("any credentials are accepted: whoever reaches " + c.Listen + " may do anything")
	}
	if c.DataChannels == "" {
		c.DataChannels = anyPort(listener.Addr())
		if certificates != nil { // the APIs forward to it
			c.DataChannels = "127.0.0.1:0"
		}
	}
	if err := inst.SetMachineFlags(c.machineFlags); err != nil {
		return err
	}
	key, err := c.key(inst, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	endpoint := c.scheme() + "://" + dialAddress(listener.Addr())
	url, err := certificates.clientURL(endpoint)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	p, err := openPlane(ctx, planeConfig{
		inst: inst, key: key, log: log, endpoint: endpoint, certificates: certificates,
		pace: fargo.Pace(c.Speed), acceptAnyCredentials: c.AcceptAnyCredentials, beginAnew: c.BeginAnew, taskEndpoint: c.TaskEndpoint == "on", strictEgress: c.StrictEgress,
		public: public, elasticIPs: c.ElasticIPs, mappings: mappings, forwarded: forwarded, iam: c.IAM, throttle: c.Throttle,
	})
	if err != nil {
		return errors.Join(withAdvice(inst, err), listener.Close())
	}
	interrupted, err := c.serve(ctx, p, listener, signals, func() error {
		if err := inst.SetEndpoint(url); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.out, "fargo ready: %s\n", url)
		return err
	})
	if err = errors.Join(err, p.close()); err != nil || !interrupted {
		return err
	}
	m, err := openMachine(inst, c.machineFlags, log)
	if err != nil {
		return err
	}
	defer m.close()
	return m.tearDown(ctx)
}

// forwardCredentials sign what is sent on. An emulator takes any.
func forwardCredentials() sigv4.Credentials {
	c := sigv4.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY"), Token: os.Getenv("AWS_SESSION_TOKEN")}
	if c.AccessKeyID == "" || c.Secret == "" {
		return sigv4.Credentials{AccessKeyID: "test", Secret: "test"}
	}
	return c
}

// serve runs the control plane and this machine's node until the first signal has
// ended it, and reports whether that was SIGINT.
func (c *upCommand) serve(ctx context.Context, p *plane, l net.Listener, signals <-chan os.Signal, ready func() error) (interrupted bool, err error) {
	node, err := nodeSupervisor(p.inst, c.machineFlags, p.log)
	if err != nil {
		return false, err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	g.Go(func() error { return p.run(ctx) })
	g.Go(func() error { return node.Run(ctx) })
	g.Go(func() error { return p.serve(serving, l) })
	g.Go(func() error {
		defer cancel()
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			if s != syscall.SIGINT {
				return nil
			}
		}
		interrupted = true
		p.log.Info("ending all tasks; interrupt again to kill them")
		stopServing()
		return drain(ctx, p, signals)
	})
	// Reads are served meanwhile.
	if err := p.untilWritable(ctx); err == nil {
		if err := ready(); err != nil {
			cancel()
			return false, errors.Join(err, g.Wait())
		}
	}
	return interrupted, g.Wait()
}

// drain stops every task and waits until all have ended, or for another signal.
func drain(ctx context.Context, p *plane, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	impatient := make(chan struct{})
	go func() {
		defer close(impatient)
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := p.drain(ctx, "Fargo was interrupted")
	if ctx.Err() != nil {
		err = nil // what is left is killed by the teardown
	}
	cancel()
	<-impatient
	return err
}

// isPublic reports whether other machines may reach what listens at an address. One without
// a host is any.
func isPublic(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	return err != nil || !at.Addr().Unmap().IsLoopback()
}

// dialAddress is the address at which this machine connects to a listener: loopback
// when it listens at all addresses.
func dialAddress(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil || !ap.Addr().IsUnspecified() {
		return a.String()
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	return netip.AddrPortFrom(loopback, ap.Port()).String()
}
