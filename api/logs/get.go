package logs

import (
	"context"
	"errors"

	"fargo/aws"
	"fargo/aws/logs"
	engine "fargo/logs"
	"fargo/logs/filter"
)

// GetLogEvents gives a page of one stream.
func (s *Server) GetLogEvents(ctx context.Context, in *logs.GetLogEventsInput) (*logs.GetLogEventsOutput, error) {
	scope := scopeOf(ctx)
	group, err := groupOfEither(scope, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	page, err := s.store.Read(scope, group, *in.LogStreamName, engine.Read{
		Start:    aws.Value(in.StartTime),
		End:      aws.Value(in.EndTime),
		Token:    aws.Value(in.NextToken),
		FromHead: aws.Value(in.StartFromHead),
		Limit:    int(aws.Value(in.Limit)),
	})
	if err != nil {
		return nil, refused(err)
	}
	out := &logs.GetLogEventsOutput{
		Events:            []logs.OutputLogEvent{},
		NextForwardToken:  &page.Forward,
		NextBackwardToken: &page.Backward,
	}
	for _, e := range page.Events {
		out.Events = append(out.Events, logs.OutputLogEvent{Timestamp: &e.Timestamp, Message: &e.Message, IngestionTime: &e.Ingested})
	}
	return out, nil
}

// firstFromTail is the first time from which on events can be filtered with the
// latest first, in milliseconds: the begin of 2024, UTC.
// Source: CloudWatch Logs API, FilterLogEvents.
const firstFromTail = 1_704_067_200_000

// FilterLogEvents gives a page of the events of a group that match a pattern.
func (s *Server) FilterLogEvents(ctx context.Context, in *logs.FilterLogEventsInput) (*logs.FilterLogEventsOutput, error) {
	scope := scopeOf(ctx)
	group, err := groupOfEither(scope, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil {
		return nil, logs.InvalidParameterException("LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.")
	}
	fromTail := in.StartFromHead != nil && !*in.StartFromHead
	if fromTail && aws.Value(in.StartTime) < firstFromTail {
		return nil, logs.InvalidParameterException("startFromHead can be false only with a startTime that is not before 2024-01-01T00:00:00Z.")
	}
	pattern, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	question := *in
	question.StartFromHead = nil // a token knows its direction
	asked := pages.Ask(&question, in.NextToken, in.Limit)
	token, err := asked.Open()
	if err != nil {
		return nil, err
	}
	found, next, err := s.store.Search(ctx, scope, group, engine.Search{
		Streams:  in.LogStreamNames,
		Prefix:   aws.Value(in.LogStreamNamePrefix),
		Start:    aws.Value(in.StartTime),
		End:      aws.Value(in.EndTime),
		Match:    pattern.Match,
		Backward: fromTail,
		Token:    token,
		Limit:    int(aws.Value(in.Limit)),
	})
	if err != nil {
		return nil, refused(err)
	}
	out := &logs.FilterLogEventsOutput{
		Events:             []logs.FilteredLogEvent{},
		SearchedLogStreams: []logs.SearchedLogStream{}, // always empty, as the API says
		NextToken:          sealed(asked, next),
	}
	for _, e := range found {
		out.Events = append(out.Events, logs.FilteredLogEvent{
			LogStreamName: &e.Stream, Timestamp: &e.Timestamp, Message: &e.Message, IngestionTime: &e.Ingested, EventId: &e.ID,
		})
	}
	return out, nil
}

// TestMetricFilter says which messages a pattern matches.
func (s *Server) TestMetricFilter(_ context.Context, in *logs.TestMetricFilterInput) (*logs.TestMetricFilterOutput, error) {
	pattern, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	out := &logs.TestMetricFilterOutput{Matches: []logs.MetricFilterMatchRecord{}}
	for i, message := range in.LogEventMessages {
		if pattern.Match(message) {
			out.Matches = append(out.Matches, logs.MetricFilterMatchRecord{
				EventNumber: new(int64(i + 1)), EventMessage: &message, ExtractedValues: pattern.Extract(message),
			})
		}
	}
	return out, nil
}

func parsePattern(pattern *string) (*filter.Pattern, error) {
	p, err := filter.Parse(aws.Value(pattern))
	if errors.Is(err, filter.ErrPattern) {
		return nil, logs.InvalidParameterException("%s", err.Error())
	}
	return p, err
}
