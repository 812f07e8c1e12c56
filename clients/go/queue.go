package trackside

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// What a call returns that did not take its event, if not its context's error or that of a value which JSON does not have.
var (
	ErrClosed    = errors.New("trackside: the client is closed")
	ErrQueueFull = errors.New("trackside: the queue is full")
)

// queue holds the events that are not settled: it bounds their number, and gives them out in batches.
type queue struct {
	options Options
	deliver func(batch []item) // until all of it is settled

	changed          sync.Cond // its lock guards what follows
	waiting          []item
	unsettled, calls int // events, those in calls included; deliveries that go on
	flushing         int // flushes that go on
	closed           bool
	timer            *time.Timer // for the first that waits
}

type item struct {
	event *pb.Event
	bytes int
	since time.Time
}

// put waits for room.
func (q *queue) put(ctx context.Context, event *pb.Event, bytes int) error {
	q.changed.L.Lock()
	defer q.changed.L.Unlock()
	if !q.await(ctx, q.options.FullWait, func() bool { return q.closed || q.unsettled < q.options.QueueEvents }) {
		return cmp.Or(ctx.Err(), ErrQueueFull)
	}
	if q.closed {
		return ErrClosed
	}
	q.waiting = append(q.waiting, item{event, bytes, time.Now()})
	q.unsettled++
	q.ship()
	return nil
}

// change changes the state, and goes on from there.
func (q *queue) change(change func()) {
	q.changed.L.Lock()
	defer q.changed.L.Unlock()
	change()
	q.changed.Broadcast()
	q.ship()
}

// ship delivers the batches that are full or due, as far as calls are free.
func (q *queue) ship() {
	for q.calls < q.options.Calls && len(q.waiting) > 0 {
		count, room := 0, q.options.BatchBytes
		for count < min(len(q.waiting), q.options.BatchEvents) && (count == 0 || q.waiting[count].bytes <= room) {
			room -= q.waiting[count].bytes
			count++
		}
		wait := q.options.FlushInterval - time.Since(q.waiting[0].since)
		if wait > 0 && q.flushing == 0 && count == len(q.waiting) && count < q.options.BatchEvents {
			q.timer.Reset(wait)
			return
		}
		batch := slices.Clone(q.waiting[:count])
		q.waiting = slices.Delete(q.waiting, 0, count)
		q.calls++
		go func() {
			q.deliver(batch)
			q.change(func() { q.calls-- })
		}()
	}
}

// flush returns how many events are not settled, when it is none or after the timeout.
func (q *queue) flush(timeout time.Duration) int {
	q.change(func() { q.flushing++ })
	defer q.change(func() { q.flushing-- })
	q.changed.L.Lock()
	defer q.changed.L.Unlock()
	q.await(context.Background(), timeout, func() bool { return q.unsettled == 0 })
	return q.unsettled
}

// await waits until it is ready, the time is over or the context ends: whether it is ready.
func (q *queue) await(ctx context.Context, timeout time.Duration, ready func() bool) bool {
	if ready() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { q.change(func() {}) })()
	for !ready() && ctx.Err() == nil {
		q.changed.Wait()
	}
	return ready()
}
