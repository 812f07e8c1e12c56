package trackside

import (
	"math/rand/v2"
	"regexp"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second
)

// cutOff matches the descriptions of INTERNAL that grpc-go makes of a broken connection. A server's INTERNAL has others.
var cutOff = regexp.MustCompile("RST_STREAM|unexpected EOF|without sending trailers")

// isRetryable tells whether the same call may succeed later.
func isRetryable(failure error) bool {
	why := status.Convert(failure)
	switch why.Code() {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled:
		return true
	case codes.Internal:
		return cutOff.MatchString(why.Message())
	default:
		return false
	}
}

// delayOf returns the delay that the server asks for with a failed call, or 0.
func delayOf(failure error) time.Duration {
	for _, detail := range status.Convert(failure).Details() {
		if info, isInfo := detail.(*errdetails.RetryInfo); isInfo {
			return info.RetryDelay.AsDuration()
		}
	}
	return 0
}

// waitBefore returns how long to wait before the next call. attempt counts resends from 0; delay is the server's, or 0.
func waitBefore(attempt int, delay time.Duration) time.Duration {
	if delay > 0 {
		return delay + rand.N(delay/5+1)
	}
	wait := longestWait
	if attempt < 6 {
		wait = min(firstWait<<attempt, longestWait)
	}
	return wait/2 + rand.N(wait/2)
}

// nameOf returns a code's name as gRPC writes it, such as DEADLINE_EXCEEDED.
func nameOf(c codes.Code) string {
	return code.Code(c).String()
}
