namespace Krate.Core.Runs;

/// <summary>A part of a log file, read only. What is appended meanwhile is not in it.</summary>
internal sealed class LogBytes : Stream
{
    private readonly FileStream file;
    private readonly long start;

    public LogBytes(string path, long start, long length)
    {
        (this.start, Length) = (start, Math.Max(0, length));
        file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 << 10, FileOptions.Asynchronous) { Position = start };
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position
    {
        get => file.Position - start;
        set => file.Position = start + Math.Clamp(value, 0, Length);
    }

    public override int Read(byte[] buffer, int offset, int count) => file.Read(buffer, offset, (int)Math.Min(count, Length - Position));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        file.ReadAsync(buffer[..(int)Math.Min(buffer.Length, Length - Position)], cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => Position + offset, _ => Length + offset };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }
}
