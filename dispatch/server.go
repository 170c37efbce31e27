package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"fargo/desired"
	"fargo/secret"
)

// How long a side may be silent before the other asks, and how long the answer
// may take. gRPC's client does not ask more often than every 10 s.
const (
	keepaliveTime    = 10 * time.Second
	keepaliveTimeout = 5 * time.Second
)

// maxMessage bounds one message: a whole Desired, or a MiB of log as JSON.
const maxMessage = 64 << 20

// ServerConfig is what a server is made of.
type ServerConfig struct {
	Plane  Plane
	Logger *slog.Logger
	// Options are added to the gRPC server's: transport credentials, where
	// nodes come over a network. None for a unix socket, whose mode guards it.
	Options []grpc.ServerOption
}

// Server is the control plane's end.
type Server struct {
	plane Plane
	log   *slog.Logger
	grpc  *grpc.Server

	mu struct {
		sync.Mutex
		sessions map[string]*activeSession // by node
	}
}

// activeSession is a node's session and the way to end it.
type activeSession struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the session is over
}

// NewServer makes a server; Serve runs it.
func NewServer(cfg ServerConfig) *Server {
	s := &Server{plane: cfg.Plane, log: cfg.Logger}
	s.mu.sessions = map[string]*activeSession{}
	s.grpc = grpc.NewServer(append([]grpc.ServerOption{
		grpc.ForceServerCodec(codec{}),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.WaitForHandlers(true),
		grpc.StatsHandler(connections{}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveTime / 2, PermitWithoutStream: true}),
	}, cfg.Options...)...)
	s.grpc.RegisterService(&service, s)
	return s
}

// Serve takes nodes from l until ctx ends, and returns when every session is
// over. It closes l. A server serves once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, s.grpc.Stop)
	err := s.grpc.Serve(l)
	if !stop() {
		s.grpc.Stop() // waits for the one that is under way
	}
	if ctx.Err() != nil || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("serving nodes: %w", err)
}

// Listen opens the unix socket that local nodes come to. Only its owner may
// connect. A socket that a dead server left there is replaced.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("node socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("node socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("node socket: %w", err), l.Close())
	}
	return l, nil
}

const serviceName = "fargo.Dispatch"

var service = grpc.ServiceDesc{
	ServiceName: serviceName,
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName:    "Session",
		Handler:       func(srv any, stream grpc.ServerStream) error { return srv.(*Server).session(stream) },
		ServerStreams: true,
		ClientStreams: true,
	}},
	Methods: []grpc.MethodDesc{
		{MethodName: "OpenLog", Handler: unary("OpenLog", (*Server).openLog)},
		{MethodName: "AppendLogs", Handler: unary("AppendLogs", (*Server).appendLogs)},
		{MethodName: "Secret", Handler: unary("Secret", (*Server).secret)},
		{MethodName: "PutLogObject", Handler: unary("PutLogObject", (*Server).putLogObject)},
		{MethodName: "PutMeasurements", Handler: unary("PutMeasurements", (*Server).putMeasurements)},
		{MethodName: "NextInvocation", Handler: unary("NextInvocation", (*Server).nextInvocation)},
		{MethodName: "PutInvocationResult", Handler: unary("PutInvocationResult", (*Server).putInvocationResult)},
		{MethodName: "TaskTags", Handler: unary("TaskTags", (*Server).taskTags)},
		{MethodName: "ReportExecSession", Handler: unary("ReportExecSession", (*Server).reportExecSession)},
		{MethodName: "DecryptExecKey", Handler: unary("DecryptExecKey", (*Server).decryptExecKey)},
		{MethodName: "PutExecTranscript", Handler: unary("PutExecTranscript", (*Server).putExecTranscript)},
	},
}

// unary adapts a method of the server to what gRPC calls.
func unary[In, Out any](name string, method func(*Server, context.Context, *In) (*Out, error)) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		call := func(ctx context.Context, in any) (any, error) {
			out, err := method(srv.(*Server), ctx, in.(*In))
			return out, toStatus(ctx, err)
		}
		if intercept == nil {
			return call(ctx, in)
		}
		return intercept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + serviceName + "/" + name}, call)
	}
}

// toStatus keeps an error's text and tells apart the three kinds a node acts
// on: gone, come again, and refused.
func toStatus(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case status.Code(err) != codes.Unknown:
		return err // it is one already
	case ctx.Err() != nil || errdefs.IsUnavailable(err):
		return status.Error(codes.Unavailable, err.Error())
	case errdefs.IsNotFound(err):
		return status.Error(codes.NotFound, err.Error())
	default:
		return status.Error(codes.FailedPrecondition, err.Error())
	}
}

func (s *Server) openLog(ctx context.Context, in *desired.LogTarget) (*nothing, error) {
	return &nothing{}, s.plane.OpenLog(ctx, *in)
}

func (s *Server) secret(ctx context.Context, in *secretRequest) (*secretAnswer, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	value, err := s.plane.Secret(ctx, node, in.ID)
	if err != nil {
		return nil, err
	}
	return &secretAnswer{Value: secret.Exposed{Text: value}}, nil
}

func (s *Server) taskTags(ctx context.Context, in *tagsRequest) (*tagsAnswer, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	tags, err := s.plane.TaskTags(ctx, node, in.TaskARN)
	return &tagsAnswer{tags}, err
}

func (s *Server) nextInvocation(ctx context.Context, in *invocationRequest) (*desired.Invocation, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	invocation, err := s.plane.NextInvocation(ctx, node, in.TaskARN)
	return &invocation, err
}

func (s *Server) putInvocationResult(ctx context.Context, in *desired.InvocationResult) (*nothing, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	return &nothing{}, s.plane.PutInvocationResult(ctx, node, *in)
}

func (s *Server) appendLogs(ctx context.Context, in *desired.LogBatch) (*position, error) {
	to, err := s.plane.AppendLogs(ctx, *in)
	return &position{To: to}, err
}

func (s *Server) putLogObject(ctx context.Context, in *desired.LogObject) (*nothing, error) {
	return &nothing{}, s.plane.PutLogObject(ctx, *in)
}

func (s *Server) putMeasurements(ctx context.Context, in *desired.Measurements) (*nothing, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	return &nothing{}, s.plane.PutMeasurements(ctx, node, *in)
}

func (s *Server) reportExecSession(ctx context.Context, in *desired.ExecSessionReport) (*nothing, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	return &nothing{}, s.plane.ReportExecSession(ctx, node, *in)
}

func (s *Server) putExecTranscript(ctx context.Context, in *desired.ExecTranscript) (*nothing, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	return &nothing{}, s.plane.PutExecTranscript(ctx, node, *in)
}

func (s *Server) decryptExecKey(ctx context.Context, in *desired.ExecKey) (*secretAnswer, error) {
	node, err := connectionOf(ctx).owner()
	if err != nil {
		return nil, err
	}
	value, err := s.plane.DecryptExecKey(ctx, node, *in)
	if err != nil {
		return nil, err
	}
	return &secretAnswer{Value: secret.Exposed{Text: value}}, nil
}
