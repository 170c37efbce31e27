package logs

import (
	"context"

	"fargo"
	"fargo/aws"
	"fargo/aws/logs"
	engine "fargo/logs"
)

// CreateLogStream makes a stream in a group.
func (s *Server) CreateLogStream(ctx context.Context, in *logs.CreateLogStreamInput) (*logs.CreateLogStreamOutput, error) {
	if err := s.store.CreateStream(ctx, scopeOf(ctx), *in.LogGroupName, *in.LogStreamName); err != nil {
		return nil, refused(err)
	}
	return &logs.CreateLogStreamOutput{}, nil
}

// DeleteLogStream removes a stream and its events.
func (s *Server) DeleteLogStream(ctx context.Context, in *logs.DeleteLogStreamInput) (*logs.DeleteLogStreamOutput, error) {
	scope := scopeOf(ctx)
	if g, err := s.store.Group(scope, *in.LogGroupName); err == nil && g.Protected {
		return nil, logs.ValidationException("Deletion protection is enabled on log group %s. Disable it before deleting.", g.Name)
	}
	if err := s.store.DeleteStream(ctx, scope, *in.LogGroupName, *in.LogStreamName); err != nil {
		return nil, refused(err)
	}
	return &logs.DeleteLogStreamOutput{}, nil
}

// DescribeLogStreams lists the streams of a group by name or by their last
// event.
func (s *Server) DescribeLogStreams(ctx context.Context, in *logs.DescribeLogStreamsInput) (*logs.DescribeLogStreamsOutput, error) {
	scope := scopeOf(ctx)
	group, err := groupOfEither(scope, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byLastEvent := in.OrderBy == logs.OrderByLastEventTime
	if byLastEvent && in.LogStreamNamePrefix != nil {
		return nil, logs.InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	asked := pages.Ask(in, in.NextToken, in.Limit)
	token, err := asked.Open()
	if err != nil {
		return nil, err
	}
	streams, next, err := s.store.Streams(scope, group, engine.StreamQuery{
		Prefix:      aws.Value(in.LogStreamNamePrefix),
		ByLastEvent: byLastEvent,
		Descending:  aws.Value(in.Descending),
		Token:       token,
		Limit:       int(aws.ValueOr(in.Limit, maxDescribed)),
	})
	if err != nil {
		return nil, refused(err)
	}
	out := &logs.DescribeLogStreamsOutput{LogStreams: []logs.LogStream{}, NextToken: sealed(asked, next)}
	for _, st := range streams {
		out.LogStreams = append(out.LogStreams, showStream(scope, group, st))
	}
	return out, nil
}

// showStream shows a stream. Its storedBytes are 0, as they have been in
// CloudWatch Logs since 2019: only a group's count.
func showStream(scope fargo.Scope, group string, st engine.Stream) logs.LogStream {
	shown := logs.LogStream{
		LogStreamName:       &st.Name,
		CreationTime:        &st.Created,
		FirstEventTimestamp: aws.NonZero(st.First),
		LastEventTimestamp:  aws.NonZero(st.Last),
		LastIngestionTime:   aws.NonZero(st.Ingested),
		Arn:                 new(streamARN(scope, group, st.Name)),
		StoredBytes:         new(int64(0)),
	}
	if st.Ingested != 0 {
		shown.UploadSequenceToken = new(sequenceToken(st.Ingested))
	}
	return shown
}
