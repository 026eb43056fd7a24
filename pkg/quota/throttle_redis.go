package quota

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"
)

// RedisThrottle keeps buckets in Redis, and uses another Throttle while Redis is down.
// It is safe for concurrent use.
type RedisThrottle struct {
	pool     *redis.Pool
	fallback Throttle
	log      *slog.Logger
	retryAt  atomic.Int64 // Unix ms: Redis is not used before; 0: it answers
}

// A login must not hang on Redis: an answer may take redisTimeout, and after none Redis is left alone for
// redisRetryInterval.
const (
	redisRetryInterval = 15 * time.Second
	redisTimeout       = 2 * time.Second
	redisConnections   = 4
	redisIdleTime      = 4 * time.Minute
	redisPrefix        = "llm-gateway:throttle:"
)

// NewRedisThrottle returns a Throttle at the URL (redis:// or rediss://). It connects when it
// is first used. The error says that the URL is wrong without repeating it.
func NewRedisThrottle(address string, fallback Throttle, log *slog.Logger) (*RedisThrottle, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "" {
		return nil, errors.New("the Redis URL cannot be read")
	}
	pool := &redis.Pool{
		MaxIdle: redisConnections, MaxActive: redisConnections, Wait: true, IdleTimeout: redisIdleTime,
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialURLContext(ctx, address, redis.DialConnectTimeout(redisTimeout), redis.DialTLSHandshakeTimeout(redisTimeout),
				redis.DialReadTimeout(redisTimeout), redis.DialWriteTimeout(redisTimeout))
		},
	}
	return &RedisThrottle{pool: pool, fallback: fallback, log: log}, nil
}

// do runs a command. A connection that the server has closed meanwhile is replaced once.
func (t *RedisThrottle) do(ctx context.Context, command func(redis.Conn) (any, error)) (reply any, err error) {
	for range 2 {
		var c redis.Conn
		if c, err = t.pool.GetContext(ctx); err != nil {
			return nil, err
		}
		reply, err = command(c)
		broken := c.Err() != nil
		c.Close()
		if err == nil || !broken || ctx.Err() != nil {
			break
		}
	}
	return reply, err
}

func (t *RedisThrottle) send(ctx context.Context, name string, args ...any) (any, error) {
	return t.do(ctx, func(c redis.Conn) (any, error) { return redis.DoContext(c, ctx, name, args...) })
}

func (t *RedisThrottle) run(ctx context.Context, s *redis.Script, keyAndArgs ...any) (any, error) {
	return t.do(ctx, func(c redis.Conn) (any, error) { return s.DoContext(ctx, c, keyAndArgs...) })
}

// Ping reports whether Redis answers.
func (t *RedisThrottle) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	_, err := t.send(ctx, "PING")
	return err
}

// Close drops the connections.
func (t *RedisThrottle) Close() error { return t.pool.Close() }

// The scripts do the same as the statements of SQLThrottle. A bucket is a hash of its tries (n)
// and the end of its wait (at); a flag is a string.
var (
	tryScript = redis.NewScript(1, `
local now, forget, free, doublings = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local longest, step, keep = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local old = redis.call('HMGET', KEYS[1], 'n', 'at')
local n, at = tonumber(old[1] or '0'), tonumber(old[2] or '0')
if old[2] and at > now and n > free then return at - now end
if not old[2] or at < now - forget then n = 0 end
local wait = 0
if n >= free then
  if n - free >= doublings then wait = longest else wait = step * 2 ^ (n - free) end
end
redis.call('HSET', KEYS[1], 'n', string.format('%d', n + 1), 'at', string.format('%d', now + wait))
redis.call('PEXPIRE', KEYS[1], string.format('%d', keep))
return 0`)

	takeBackScript = redis.NewScript(1, `
local old = redis.call('HMGET', KEYS[1], 'n', 'at')
local n, at, now = tonumber(old[1] or '0'), tonumber(old[2] or '0'), tonumber(ARGV[1])
if n > 0 then
  redis.call('HSET', KEYS[1], 'n', string.format('%d', n - 1), 'at', string.format('%d', math.min(at, now)))
end
return 0`)
)

// Try implements Throttle.
func (t *RedisThrottle) Try(ctx context.Context, now int64, bucket string, r Rule) (wait time.Duration, err error) {
	err = t.either(ctx, now, func(ctx context.Context) error {
		ms, err := redis.Int64(t.run(ctx, tryScript, redisPrefix+bucket,
			now, r.Forget.Milliseconds(), r.Free, r.doublings(), r.Max.Milliseconds(), r.Step.Milliseconds(),
			(r.Max + r.Forget).Milliseconds()))
		wait = time.Duration(ms) * time.Millisecond
		return err
	}, func() (err error) {
		wait, err = t.fallback.Try(ctx, now, bucket, r)
		return err
	})
	return wait, err
}

// TakeBack implements Throttle.
func (t *RedisThrottle) TakeBack(ctx context.Context, now int64, bucket string) error {
	return t.either(ctx, now, func(ctx context.Context) error {
		_, err := t.run(ctx, takeBackScript, redisPrefix+bucket, now)
		return err
	}, func() error { return t.fallback.TakeBack(ctx, now, bucket) })
}

// Clear implements Throttle.
func (t *RedisThrottle) Clear(ctx context.Context, now int64, bucket string) error {
	return t.either(ctx, now, func(ctx context.Context) error {
		_, err := t.send(ctx, "DEL", redisPrefix+bucket)
		return err
	}, func() error { return t.fallback.Clear(ctx, now, bucket) })
}

// Flag implements Throttle.
func (t *RedisThrottle) Flag(ctx context.Context, now int64, bucket string, until int64) error {
	return t.either(ctx, now, func(ctx context.Context) error {
		_, err := t.send(ctx, "SET", redisPrefix+bucket, until, "PX", max(1, until-now))
		return err
	}, func() error { return t.fallback.Flag(ctx, now, bucket, until) })
}

// Flagged implements Throttle.
func (t *RedisThrottle) Flagged(ctx context.Context, now int64, bucket string) (flagged bool, err error) {
	err = t.either(ctx, now, func(ctx context.Context) error {
		until, err := redis.Int64(t.send(ctx, "GET", redisPrefix+bucket))
		if errors.Is(err, redis.ErrNil) {
			return nil
		}
		flagged = err == nil && until > now
		return err
	}, func() (err error) {
		flagged, err = t.fallback.Flagged(ctx, now, bucket)
		return err
	})
	return flagged, err
}

// either runs inRedis or, while Redis does not answer, inFallback.
func (t *RedisThrottle) either(
	ctx context.Context, now int64, inRedis func(context.Context) error, inFallback func() error,
) error {
	if now < t.retryAt.Load() {
		return inFallback()
	}
	limited, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	err := inRedis(limited)
	if err == nil {
		if t.retryAt.Swap(0) != 0 {
			t.log.Info("Redis answers again")
		}
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if t.retryAt.Swap(now+redisRetryInterval.Milliseconds()) == 0 {
		// The error may hold the address, but never the password.
		t.log.Warn("Redis does not answer: throttles are kept in the database until it does", "cause", err.Error())
	}
	return inFallback()
}
