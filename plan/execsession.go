package plan

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/shlex"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// ExecSession is a session as its node needs it.
func ExecSession(s *record.ExecSession) desired.ExecSession {
	return desired.ExecSession{
		ID: s.ID, TaskARN: s.TaskARN(), ContainerID: s.ContainerID, Command: s.Arguments,
		TokenHash: s.TokenHash, TokenExpires: s.TokenExpires, Begun: !s.StartedAt.IsZero(),
		KMSKeyID: s.KMSKeyID, Target: s.Target(), Refusal: s.Refusal, Transcript: (s.Logging.LogGroup != "" || s.Logging.Bucket != "") && s.Refusal == "",
	}
}

// The states of a managed agent. Source: ECS API, ManagedAgent, lastStatus.
const (
	ManagedAgentPending = "PENDING"
	ManagedAgentRunning = "RUNNING"
	ManagedAgentStopped = "STOPPED"
)

// execAgent shows the agent of ECS Exec in a container of a task that has it. It runs from
// when the task does until the container has stopped. That it runs does not mean that it
// is connected.
func execAgent(t *record.Task, c *ecs.Container) ecs.ManagedAgent {
	agent := ecs.ManagedAgent{Name: ecs.ManagedAgentNameExecuteCommandAgent, LastStatus: new(ManagedAgentPending)}
	if t.Report != nil {
		agent.LastStartedAt = moment(t.Report.StartedAt)
	}
	switch {
	case aws.Value(c.LastStatus) == string(fargo.ContainerStopped):
		agent.LastStatus = new(ManagedAgentStopped)
	case aws.Value(c.LastStatus) == string(fargo.ContainerRunning) && agent.LastStartedAt != nil:
		agent.LastStatus = new(ManagedAgentRunning)
	}
	return agent
}

// ExecAgentRuns reports whether the agent of ECS Exec runs in a container of a task, and
// gives the container's runtime id.
func ExecAgentRuns(t *record.Task, container string) (runtimeID string, runs bool) {
	if t.LastStatus() != fargo.TaskRunning {
		return "", false
	}
	for _, c := range TaskView(t).Containers {
		if *c.Name == container && len(c.ManagedAgents) > 0 {
			return aws.Value(c.RuntimeId), *c.ManagedAgents[0].LastStatus == ManagedAgentRunning
		}
	}
	return "", false
}

// execConfiguration is what a cluster says of ECS Exec.
func execConfiguration(c *ecs.Cluster) *ecs.ExecuteCommandConfiguration {
	if c.Configuration == nil || c.Configuration.ExecuteCommandConfiguration == nil {
		return &ecs.ExecuteCommandConfiguration{}
	}
	return c.Configuration.ExecuteCommandConfiguration
}

// ExecKey is the key of KMS with which a cluster has channels encrypted; empty for none.
func ExecKey(c *ecs.Cluster) string { return aws.Value(execConfiguration(c).KmsKeyId) }

// ExecLogging is where the transcripts of sessions in a container of a cluster's task go.
// Source: ECS API, ExecuteCommandConfiguration: without a word it is as with DEFAULT.
func ExecLogging(c *ecs.Cluster, container *ecs.ContainerDefinition) record.ExecLogging {
	config := execConfiguration(c)
	switch config.Logging {
	case ecs.ExecuteCommandLoggingNone:
		return record.ExecLogging{}
	case ecs.ExecuteCommandLoggingOverride:
		l := config.LogConfiguration
		return record.ExecLogging{
			LogGroup: aws.Value(l.CloudWatchLogGroupName), LogGroupEncrypted: aws.Value(l.CloudWatchEncryptionEnabled),
			Bucket: aws.Value(l.S3BucketName), BucketEncrypted: aws.Value(l.S3EncryptionEnabled),
			KeyPrefix: strings.Trim(aws.Value(l.S3KeyPrefix), "/"),
		}
	}
	if l := container.LogConfiguration; l != nil && l.LogDriver == ecs.LogDriverAwslogs {
		return record.ExecLogging{LogGroup: l.Options["awslogs-group"], LogRegion: l.Options["awslogs-region"]}
	}
	return record.ExecLogging{}
}

// defaultShell is what AWS's agent runs when it is given no command.
const defaultShell = "sh"

// ExecArguments are the words of a command, as AWS's agent takes it apart: as a shell
// does, without expanding anything. The error has the agent's words.
// Source: amazon-ssm-agent, session/shell/shell_unix.go.
func ExecArguments(command string) ([]string, error) {
	words, err := shlex.Split(command)
	if err != nil {
		return nil, errors.New("\n----------ERROR-------\nUnable to start command: Failed to parse commands input: " + err.Error() + "\n")
	}
	if len(words) == 0 || words[0] == "" {
		return []string{defaultShell}, nil
	}
	return words, nil
}

// ExecTokenLife is for how long a token opens a connection.
const ExecTokenLife = time.Minute

// ErrNoDataChannels says that a node serves no data channels.
var ErrNoDataChannels = errors.New("the node serves no data channels")

// DataChannelURL is where a client opens the data channel of a session. node is what the
// node says of itself ([desired.Hello.DataChannels]), and client the host, perhaps with a
// port, by which the client has reached the API. secure says that it has done so over TLS:
// then a client of another machine opens it where the APIs are, over TLS too, which forward
// it. On the same machine it stays without, so that AWS's plugin need not know Fargo's
// authority.
func DataChannelURL(node, client, session string, secure bool) (string, error) {
	at, err := netip.ParseAddrPort(node)
	if err != nil {
		return "", ErrNoDataChannels
	}
	if secure && !isThisMachine(hostOf(client)) {
		return channelURL("wss", client, session), nil
	}
	host := at.Addr().String()
	if at.Addr().IsUnspecified() || at.Addr().IsLoopback() { // the machine that it is named on
		host = hostOf(client)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return channelURL("ws", fmt.Sprintf("%s:%d", host, at.Port()), session), nil
}

// VPCDataChannelURL is the same for a client inside a VPC, where data channels are opened
// where the APIs are: by the service's name, or at the host that the client has called.
// secure says whether it has done so over TLS.
// Source: Systems Manager API, StartSession, StreamUrl.
func VPCDataChannelURL(client, region, session string, secure bool) string {
	scheme := "ws"
	if secure {
		scheme = "wss"
	}
	if strings.HasSuffix(client, ".amazonaws.com") || strings.HasSuffix(client, ".api.aws") {
		client = "ssmmessages." + region + ".amazonaws.com"
	}
	return channelURL(scheme, client, session)
}

func channelURL(scheme, host, session string) string {
	return scheme + "://" + host + desired.DataChannelPath + session + "?role=publish_subscribe"
}

// isThisMachine reports whether a host is always the client's own.
func isThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// hostOf is a host without its port and without the brackets of IPv6.
func hostOf(hostPort string) string {
	host := hostPort
	if end := strings.LastIndexByte(hostPort, ':'); end > strings.LastIndexByte(hostPort, ']') {
		host = hostPort[:end]
	}
	return cmp.Or(strings.Trim(host, "[]"), "localhost")
}

// ParseExecTarget takes apart what Systems Manager calls a container:
// "ecs:<cluster>_<task>_<runtime id>". A cluster's name may have an underscore, the rest
// has none.
func ParseExecTarget(target string) (cluster, task, runtimeID string, ok bool) {
	rest, isECS := strings.CutPrefix(target, "ecs:")
	parts := strings.Split(rest, "_")
	if !isECS || len(parts) < 3 || slices.Contains(parts, "") {
		return "", "", "", false
	}
	last := len(parts) - 1
	return strings.Join(parts[:last-1], "_"), parts[last-1], parts[last], true
}
