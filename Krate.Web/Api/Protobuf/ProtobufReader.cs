using System.Text;
using Krate.Core.Resources;

namespace Krate.Web.Api.Protobuf;

/// <summary>The wire format: a field number and its payload, one after the other.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> bytes)
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> rest = bytes;

    public int Field { get; private set; }

    /// <summary>The value of a varint or fixed field.</summary>
    public ulong Number { get; private set; }

    /// <summary>The payload of a length-delimited field (text, bytes, message).</summary>
    public ReadOnlySpan<byte> Payload { get; private set; }

    /// <summary>Whether the current field carries a <see cref="Payload"/> and no <see cref="Number"/>.</summary>
    public bool IsDelimited { get; private set; }

    public bool Read()
    {
        if (rest.IsEmpty) return false;
        var tag = Varint();
        Field = (int)(tag >> 3);
        IsDelimited = (tag & 7) == 2;
        if (Field == 0) throw Broken();
        switch (tag & 7)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BitConverter.ToUInt64(Take(8));
                break;
            case 2:
                var length = Varint();
                Payload = Take(length > int.MaxValue ? throw Broken() : (int)length);
                break;
            case 5:
                Number = BitConverter.ToUInt32(Take(4));
                break;
            default:
                throw Broken();
        }

        return true;
    }

    public readonly string Text()
    {
        try
        {
            var text = StrictUtf8.GetString(Payload);
            return text.Contains('\0', StringComparison.Ordinal) ? throw ApiException.BadRequest("the protobuf message contains a text with a NUL character") : text;
        }
        catch (DecoderFallbackException)
        {
            throw ApiException.BadRequest("the protobuf message contains a text that is no valid UTF-8");
        }
    }

    public static ApiException Broken() => ApiException.BadRequest("the body is no valid protobuf message");

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Take(1)[0];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }

        throw Broken();
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > rest.Length) throw Broken();
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }
}
