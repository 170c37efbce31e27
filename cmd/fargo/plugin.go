package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"fargo/instance"
)

// pluginName is what the aws command calls to attend to a session.
const pluginName = "session-manager-plugin"

// pluginVersion is of AWS's plugin, whose features ours has.
const pluginVersion = "1.3.0.0"

// calledAsPlugin reports whether this program was called by the plugin's name, that of a
// link to it.
func calledAsPlugin(program string) bool { return filepath.Base(program) == pluginName }

// sessionVariable is the beginning of the name of a variable that may have the session in
// place of the first argument.
const sessionVariable = "AWS_SSM_START_SESSION_RESPONSE"

// runPlugin is AWS's session-manager-plugin: its arguments, and what it prints. Its exit
// status is always 0, as AWS's is: the aws command prints its arguments with any other,
// and the token is among them.
func runPlugin(ctx context.Context, args []string, std *stdio) {
	switch {
	case len(args) == 0:
		fmt.Fprint(std.out, "\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n")
	case len(args) == 1 && args[0] == "--version":
		fmt.Fprintln(std.out, pluginVersion)
	case len(args) < 3:
		fmt.Fprintf(std.out, "\nUnknown operation %s. \nUse session-manager-plugin --version to check the version.\n\n", args[0])
	case args[2] != "StartSession":
		fmt.Fprint(std.out, "Invalid Operation")
	default:
		if err := attendSession(ctx, args, std); err != nil {
			fmt.Fprintf(std.out, "Cannot perform start session: %v\n", err)
		}
	}
}

// pluginArguments are what the plugin is called with: the session, the region, the
// operation, the profile, the operation's request, and the endpoint of its service.
type pluginArguments struct {
	opened                    openedSession
	region, profile, endpoint string
}

func parsePluginArguments(args []string) (p pluginArguments, err error) {
	response := args[0]
	if strings.HasPrefix(response, sessionVariable) {
		response = os.Getenv(args[0])
	}
	if err := json.Unmarshal([]byte(response), &p.opened); err != nil {
		return p, err
	}
	args = append(args, make([]string, 6)...) // older callers give fewer
	var request struct{ Target string }
	if args[4] != "" {
		if err := json.Unmarshal([]byte(args[4]), &request); err != nil {
			return p, err
		}
	}
	p.opened.target = request.Target
	p.region, p.profile, p.endpoint = args[1], args[3], args[5]
	return p, nil
}

// attendSession attends to the session that the arguments name.
func attendSession(ctx context.Context, args []string, std *stdio) error {
	p, err := parsePluginArguments(args)
	if err != nil {
		return err
	}
	by, err := p.httpClient(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "\nStarting session with SessionId: %s\n", p.opened.SessionID)
	a := &attendance{
		opened: p.opened, api: p.client, by: by, in: os.Stdin, out: std.out, err: std.out,
		log: slog.New(slog.DiscardHandler), // the terminal is the command's
	}
	end, err := a.run(ctx)
	switch {
	case err != nil:
		return err
	case end.Reason != "":
		fmt.Fprintf(std.out, "\n\nSessionId: %s : %s\n\n", p.opened.SessionID, end.Reason)
	default:
		fmt.Fprintf(std.out, "\n\nExiting session with sessionId: %s.\n\n", p.opened.SessionID)
	}
	return nil
}

// config is the caller's, of the environment or a profile.
func (p *pluginArguments) config(ctx context.Context) (aws.Config, error) {
	return config.LoadDefaultConfig(ctx, config.WithRegion(p.region), config.WithSharedConfigProfile(p.profile))
}

// httpClient trusts what the caller's clients do: what AWS_CA_BUNDLE names.
func (p *pluginArguments) httpClient(ctx context.Context) (*http.Client, error) {
	c, err := p.config(ctx)
	if err != nil {
		return nil, err
	}
	configured, ok := c.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return nil, fmt.Errorf("the configuration has a client of another kind, %T", c.HTTPClient)
	}
	return &http.Client{Transport: configured.GetTransport()}, nil
}

// client calls the APIs with the caller's credentials, of the environment or a profile.
func (p *pluginArguments) client(ctx context.Context) (*client, error) {
	c, err := p.config(ctx)
	if err != nil {
		return nil, err
	}
	by, err := p.httpClient(ctx)
	if err != nil {
		return nil, err
	}
	credentials, err := c.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	return &client{
		endpoint: strings.TrimSuffix(p.endpoint, "/"), region: p.region, token: credentials.SessionToken, http: by,
		key: instance.AccessKey{ID: credentials.AccessKeyID, Secret: credentials.SecretAccessKey},
	}, nil
}
