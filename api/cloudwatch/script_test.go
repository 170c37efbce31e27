package cloudwatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/cloudwatch"
	"fargo/aws"
	wire "fargo/aws/cloudwatch"
	"fargo/aws/protocol"
)

// Scripts show times, which the commands below write, as the minutes and seconds of the
// hour that is now.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		s := setup(t)
		server := s.Services[0].Server.(*cloudwatch.Server)
		s.Commands = map[string]func(ctx context.Context, args string) (string, error){
			"statistics": command(server.GetMetricStatistics, showStatistics),
			"data":       command(server.GetMetricData, showData),
			"image":      image(server),
		}
		return s
	})
}

// command makes a command of an operation, which shows its answer in its own way.
func command[In, Out any](call func(context.Context, *In) (*Out, error), show func(*Out) string) func(context.Context, string) (string, error) {
	return func(ctx context.Context, args string) (string, error) {
		in := new(In)
		if err := json.Unmarshal([]byte(args), in); err != nil {
			return "", err
		}
		if v := protocol.Validate(in); v != nil {
			return "", wire.API.Refusal("", v)
		}
		out, err := call(api.WithCall(ctx, &api.Call{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}), in)
		if err != nil {
			return "", err
		}
		return show(out), nil
	}
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

func showStatistics(out *wire.GetMetricStatisticsOutput) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", *out.Label)
	for _, p := range out.Datapoints {
		fmt.Fprintf(&b, "%s", clock(*p.Timestamp))
		for name, v := range map[string]*float64{"count": p.SampleCount, "average": p.Average, "sum": p.Sum, "min": p.Minimum, "max": p.Maximum} {
			if v != nil {
				p.ExtendedStatistics = with(p.ExtendedStatistics, name, *v)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.ExtendedStatistics)) {
			fmt.Fprintf(&b, " %s=%g", name, p.ExtendedStatistics[name])
		}
		fmt.Fprintf(&b, " %s\n", aws.Value(&p.Unit))
	}
	return b.String()
}

func with(m map[string]float64, name string, v float64) map[string]float64 {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]float64{}
	}
	m[name] = v
	return m
}

func showData(out *wire.GetMetricDataOutput) string {
	var b strings.Builder
	for _, r := range out.MetricDataResults {
		fmt.Fprintf(&b, "%s %q %s", *r.Id, *r.Label, r.StatusCode)
		for i, v := range r.Values {
			fmt.Fprintf(&b, " %s=%g", clock(r.Timestamps[i]), v)
		}
		for _, m := range r.Messages {
			fmt.Fprintf(&b, " (%s: %s)", *m.Code, *m.Value)
		}
		b.WriteString("\n")
	}
	if out.NextToken != nil {
		fmt.Fprintf(&b, "\"NextToken\": \"%s\"\n", *out.NextToken)
	}
	return b.String()
}

// image is a command that draws a widget, and says how large its picture is and how many
// of its pixels have the color that the tests draw in, 3366ff.
func image(server *cloudwatch.Server) func(context.Context, string) (string, error) {
	draw := command(server.GetMetricWidgetImage, func(out *wire.GetMetricWidgetImageOutput) string {
		picture, err := png.Decode(bytes.NewReader(out.MetricWidgetImage))
		if err != nil {
			return err.Error()
		}
		size, blue := picture.Bounds().Size(), 0
		for x := range size.X {
			for y := range size.Y {
				if r, g, b, _ := picture.At(x, y).RGBA(); r>>8 == 0x33 && g>>8 == 0x66 && b>>8 == 0xff {
					blue++
				}
			}
		}
		lines := "no line"
		if blue > 50 { // more than the legend has
			lines = "a line"
		}
		return fmt.Sprintf("%d x %d with %s", size.X, size.Y, lines)
	})
	return func(ctx context.Context, args string) (string, error) {
		in, err := json.Marshal(map[string]string{"MetricWidget": args})
		if err != nil {
			return "", err
		}
		return draw(ctx, string(in))
	}
}
