namespace Krate.Core.Agents;

/// <summary>How many bytes several streams may bring together. Thread-safe.</summary>
internal sealed class ByteBudget(long most)
{
    private long left = most;

    public long Most { get; } = most;

    /// <summary>More came than may be read.</summary>
    public bool IsExceeded => Interlocked.Read(ref left) < 0;

    /// <exception cref="IOException">More came than may be read.</exception>
    public int Take(int bytes) => Interlocked.Add(ref left, -bytes) >= 0 ? bytes : throw new IOException($"more than {Most >> 20} MiB came");
}

/// <summary>Reads another stream within a budget, and fails where more comes.</summary>
internal sealed class BoundedStream(Stream inner, ByteBudget budget) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => budget.Take(await inner.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => budget.Take(inner.Read(buffer, offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
