"""What came in during the last hours, so that somebody is always waiting for an answer."""

TEXT = """
== ya_precio | Ventas | campaña
x< {hola}, ¿sigue disponible el {modelo} {version} en {color}?
20-50s x< Es que me urge cambiar de auto antes de fin de mes
1m x< ¿Me lo pueden apartar hasta el sábado? 🙏

== ya_listo | Taller
3-6h x> {nombre}, tu {auto} entra a lavado. Te aviso en cuanto esté.
2-4h x< ¿Ya estará mi carro? Salgo a las 6
9-14m l< missed 0
1-2m x< Les marqué y no contestan 😕

== ya_cotizacion | Ventas
3-5h e> Cotización {folio} del {modelo} // {holan}:¶¶Te adjunto la propuesta actualizada:
  {precio2}, con
  {enganche} de enganche y {plazo} pagos de {mensual}. {firma} [pdf cotizacion-{folio}.pdf]
2-4h e< // {hola}, {asesor}:¶¶Ya la revisé con mi esposa. Si me incluyen el seguro, firmo mañana.
  ¿Se puede?
  {firma_c}

== ya_formulario | Ventas | campaña
f< Quiero manejar el {modelo}. Solo puedo por las tardes. ¿Aceptan mi {auto} como parte del pago?

== ya_perdidas | Taller
l< missed 0
11-16m l< missed 0
20-35m l< missed 0

== ya_queja | Posventa
2-3h x> {holan}, ¿cómo te fue con la reparación de tu {auto}?
40-80m x< Mal 😞 otra vez prendió el testigo
30-60s x< [foto tablero-{placa}.jpg]
1-2m x< Es la tercera vez. ¿Me pueden llamar hoy por favor?

== ya_historia | Ventas | campaña
i< Respondió a tu historia: 😍 ¿precio?
40s i< ¿Y lo tienen en {color}?

== ya_chat | Financiamiento
c< {hola}, ¿hacen financiamiento sin enganche?
1m c< Soy independiente, no tengo recibos de nómina

== ya_flota | Flotillas
2-4h x> {holan}, la {placa} sale hoy a las {hora_libre}.
1-2h x< ^ Gracias. Oye, ahora se quedó la {placa2} en {lugar}
15-30s x< [foto ubicacion-{placa2}.jpg]
40-60s x< Trae mercancía, ¿me mandan grúa? 🙏

== ya_english | Posventa
x< {hola}, my {auto} won't start this morning
40-70s x< The dashboard shows a red battery light [foto dashboard-{placa}.jpg]
2m x< Can someone come to Roma Norte?

== ya_correo | Posventa
e< Segunda solicitud: factura {folio} // {hola}:¶¶Sigo sin recibir la factura de la orden {orden}.
  La necesito
  para mi cierre de mes. {firma_c}

== ya_telegram | Ventas
1-2h t> {holan}, te aparté la prueba de manejo del {modelo} para mañana a las {hora_libre}.
1-2h t< {ok}. ¿Puedo llevar a mi papá? Él es el que decide jaja

== ya_sms | Taller
s< Ya estoy en la puerta, no hay nadie en recepcion
"""
