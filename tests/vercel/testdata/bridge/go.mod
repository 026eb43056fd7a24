module github.com/vercel/go-bridge

go 1.18
