using System.Buffers.Binary;
using System.Security.Cryptography;
using Krate.Core.Gateway;

namespace Krate.Core.Runs;

/// <summary>
/// The end of a log that may be the begin of a secret, in clear but encrypted, beside the log, which has stars there. Only under
/// the lock of the log. One that does not fit the log is what a crash left, and counts for nothing: the stars stay.
/// </summary>
internal sealed class HeldBytes(SecretVault vault)
{
    private const string Purpose = "log/held";

    /// <summary>The bytes that end where the log does; null for none.</summary>
    public byte[]? Read(string log, string uid, long length)
    {
        if (!File.Exists(PathOf(log))) return null;
        try
        {
            var stored = File.ReadAllBytes(PathOf(log));
            if (stored.Length < 8) return null;
            var clear = vault.Decrypt(uid, Purpose, stored[8..]);
            return BinaryPrimitives.ReadInt64LittleEndian(stored) + clear.Length == length ? clear : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Replaces what is held; readers stop at <paramref name="from"/>.</summary>
    public void Write(string log, string uid, long from, ReadOnlySpan<byte> clear)
    {
        var cipher = vault.Encrypt(uid, Purpose, clear);
        var stored = new byte[8 + cipher.Length];
        BinaryPrimitives.WriteInt64LittleEndian(stored, from);
        cipher.CopyTo(stored, 8);
        File.WriteAllBytes(PathOf(log) + ".new", stored);
        File.Move(PathOf(log) + ".new", PathOf(log), overwrite: true);
    }

    public static void Remove(string log) => File.Delete(PathOf(log));

    private static string PathOf(string log) => log + ".held";
}
