"""What is said after the sale: warranty, recalls, complaints, keys, invoices, payments, chats."""

TEXT = """
== garantia | Posventa
x< {hola}, compré un {auto} con ustedes y ya falla la pantalla. ¿Entra en garantía?
  | {hola}, mi {auto} tira aceite y apenas tiene {km} km, ¿lo cubre la garantía?
  | {hola}, la palanca del {auto} se atora. Sigue en garantía, ¿no?
x> {holan}, soy {asesor} de Posventa. Tu garantía es de 3 años o 60,000 km, así que sí entra a
  revisión.
  | {holan}. Lo revisamos sin costo; si es defecto de fábrica, la marca lo cubre.
@ 1-4d
1-8m x> ¿Puedes traerlo {dia} a las {hora}?
  | Te ofrezco {dia} a las {hora} en {sucursal}.
x< Sí, ahí estoy
  | {ok}. ¿Me prestan auto?
=x> Confirmado, folio {folio}. Trae tu póliza de garantía.
  | Si se queda más de dos días te damos auto de cortesía. Folio {folio}.
?1h s> Colibrí Posventa: cita de garantía {folio}, {dia} {hora}, {sucursal}.
  | Colibrí: te recordamos tu revisión de garantía {dia} a las {hora}. Folio {folio}.
cita v< Revisión de garantía del {auto}, folio {folio}. Se confirma el defecto y se levanta reporte
  a
  planta. Siguiente paso: respuesta en {dias} días.
  | Trae el {auto} por garantía. Con {km} km y servicios al corriente procede. Se pide cambiar
  {pieza}.
2-4d e> Garantía {folio}: aprobada por planta // {holan}:¶¶La marca autorizó el reemplazo sin costo.
  La pieza llega el {fecha}. {firma} [pdf dictamen-{folio}.pdf]
  | Resolución de tu garantía {folio} // {holan}:¶¶Procede. Programamos el cambio para el {fecha};
  son
  unas tres horas. {firma}
2-30h e< // {gracias_m} por la gestión. Ahí estaré. {firma_c}
  | // Enterado. Agradecería que esta vez quede de fondo, ya es la segunda visita. {firma_c}
3-5d x> {nombre}, ya está instalada la pieza nueva. ¿Todo en orden?
  | Listo tu {auto}, probado y sin fallas. {fin}
x< Sí, funciona perfecto
  | Todo bien, gracias por responder tan rápido
x> ¡Qué bueno! Queda en tu expediente.
  | Me da gusto. {fin}

== llamado | Posventa
S> Colibrí: tu {auto} tiene un llamado a revisión sin costo (campaña {folio}). Agenda en {telefono}.
  | Aviso importante: llamado {folio} para {auto}. Revisión de 40 min, gratis. Tel. {telefono}.
1-6h e> Llamado a revisión {folio} para tu {auto} // {holan}:¶¶La marca detectó un posible desgaste
  prematuro: {pieza}. La revisión toma 40 minutos y no cuesta. Puedes seguir usando el
  auto con normalidad.¶¶Responde este correo con el día que prefieras. {firma}
  [pdf aviso-{folio}.pdf]
  | Aviso de campaña {folio}: revisión gratuita // {holan}:¶¶Tu {auto} placas {placa} está incluido
  en
  una campaña de servicio. Nos toma menos de una hora. {firma} [pdf campana-{folio}.pdf]
@ 2-6d
3-40h e< // {hola}, {asesor}:¶¶¿Puede ser {dia} a las {hora}? {firma_c}
  | // ¿Es peligroso manejarlo así? Puedo llevarlo {dia} por la tarde. {firma_c}
=e> // {holan}:¶¶Confirmado para {dia}, {hora}, en {sucursal}. No hay riesgo para manejar. {firma}
  | // {holan}:¶¶Sin riesgo. Te apunto {dia} a las {hora}. {firma}
cita v< Llamado {folio} aplicado al {auto} {placa}. 35 minutos. Sin hallazgos.
  | Atendido el llamado {folio}. Se reemplazó la pieza preventivamente.
1-3h x> ¡Gracias por venir! Tu {auto} ya no tiene llamados pendientes.
  | Listo el llamado, {nombre}. El comprobante va a tu correo.

== contacto_web | Posventa
f< Quisiera saber si la garantía de mi {auto} se transfiere al venderlo.
  | Felicito a {asesor} por la atención del {fecha_hoy}. Resolvió todo en una visita.
  | No encuentro el manual del {auto} en su página. ¿Me lo envían?
#2-9h e> Tu mensaje en nuestra página // {holan}:¶¶Sí se transfiere, solo hay que avisarnos con
  copia de
  la factura nueva. {firma}
  | Tu mensaje en nuestra página // {holan}:¶¶Qué gusto leerte. Lo comparto con todo el equipo.
  {firma}
  | Tu mensaje en nuestra página // {holan}:¶¶Aquí va el manual completo. {firma} [pdf manual.pdf]
?#3-40h e< // Muy claro, gracias. {firma_c}
  | // Sí, por favor, se lo merece. {firma_c}
  | // Llegó bien, gracias. {firma_c}
&e> // {holan}:¶¶Para servirte. {firma}
  | // {holan}:¶¶Gracias a ti. {firma}

== queja | Posventa
x< {hola}, llevo tres días esperando que me llamen por mi {auto}, y encima me lo entregan sucio
  | {hola}, me cobraron {costo2} y nunca autoricé ese trabajo
  | Me entregaron el {auto} con un rayón que no tenía 😠
#10-60s x< Así no se puede. ¿Quién me puede resolver?
  | Quiero hablar con el gerente
  | [foto rayon-{placa}.jpg]
4-50m x> {nombre}, lamento mucho lo que pasó. Soy {asesor}, de Posventa; yo llevo tu caso. ¿Te puedo
  llamar ahora?
  | Tienes razón en molestarte, {nombre}. Ya pedí el expediente {orden} y te marco en unos minutos.
3-25m l> answered 200-780
#2-15m L> Queja de la orden {orden}. Escuché sin interrumpir. Se ofrece lavado, disculpa por
  escrito y
  20 % en el siguiente servicio. Acepta si se cumple esta semana.
  | Caso {folio}: el extra no estaba autorizado por escrito. Se reembolsa. Siguiente paso: correo
  con la nota de crédito.
  | Caso {folio}: el rayón no está en el inventario de entrada. Se pule sin costo. Siguiente paso:
  confirmar visita por correo.
#2-20h e> Seguimiento de tu caso {folio} // {holan}:¶¶Te pido una disculpa a nombre de todo el
  equipo.
  Lavado completo sin costo, 20 % en tu próximo servicio y contacto directo conmigo. {firma}
  | Respuesta a tu queja del {fecha_hoy} // {holan}:¶¶Revisamos lo ocurrido con la orden {orden}.
  Adjunto la nota de crédito por {costo2}. Gracias por decírnoslo. {firma}
  [pdf nota-credito-{folio}.pdf]
  | Tu {auto}: qué haremos con el rayón // {holan}:¶¶Lamento el descuido. Lo pulimos sin costo el
  día
  que prefieras y te esperamos con auto de cortesía. Caso {folio}. {firma}
#2-40h e< // {asesor}:¶¶Agradezco la respuesta. Espero que no se repita. {firma_c}
  | // Recibida la nota de crédito, gracias. {firma_c}
  | // Bien. Llevo el auto {dia_prox}. {firma_c}
e> // {holan}:¶¶Cuenta con ello. Te llamo yo el día de tu próxima visita. {firma}
  | // {holan}:¶¶Gracias a ti por la oportunidad. {firma}
#1-3d v< Lavado y detallado sin costo del {auto}, caso {folio}. Se le presentó al jefe de taller.
  | Pasó a firmar la nota de crédito del caso {folio}. Salió conforme; caso cerrado.
  | Visita por el caso {folio}: se pulió el rayón y se lavó el {auto}. Salió conforme.
2-9h x> {nombre}, ¿cómo te fue hoy? Quiero asegurarme de que todo quedó bien.
  | ¿Todo en orden con tu {auto} después de la visita de hoy?
x< Sí, ahora sí muy bien. Gracias por la atención
  | Mejor 🙂 gracias por dar la cara
x> Gracias a ti. {fin}
  | Para eso estamos. {fin}

== encuesta | Posventa
q> Encuesta de satisfacción enviada por su última visita ({auto}).
  | ¿Nos recomendarías? Encuesta por la orden {orden}.
  | Encuesta posventa {folio}, tres preguntas.
1-30h q< Calificación 10 de 10. «{asesor} explicó todo con paciencia.»
  | Calificación 9 de 10. «Rápido, aunque la sala estaba llena.»
  | Calificación 6 de 10. «Buen trabajo, pero tardaron más de lo prometido.»
  | Calificación 8 de 10. «Me gustó que mandan fotos del avance.»
3-30h x> {holan}, leí tu respuesta a la encuesta. ¡Gracias por tomarte el tiempo!
  | {nombre}, gracias por tu calificación. Ya la compartí con el equipo.

== llave | Posventa
l< {contesta_in} 50-180
1-9m x< {hola}, perdí la llave del {auto} 😭 ¿cuánto cuesta otra?
  | {hola}, necesito un duplicado de llave para el {auto}
x> {holan}. La llave programada cuesta {costo} y tarda {dias} días. Necesito factura e
  identificación.
  | Tranquilidad, {nombre}, se puede. Son {costo} con programación.
5-90m x< ^ Ahí te va la factura y mi INE [pdf factura-{placa}.pdf] [foto ine.jpg]
  | Documentos [foto tarjeta-circulacion.jpg] [foto ine.jpg]
x> Recibido. La pido hoy con folio {folio}.
  | Gracias, pedida. Te aviso cuando llegue.
3-6d x> Llegó tu llave 🔑 Hay que traer el auto para programarla, 30 minutos.
  | {nombre}, ya tenemos la llave. ¿Cuándo vienes?
x< Hoy en la tarde paso
  | Paso hoy o mañana temprano, ¿va?
3-22h v< Programación de llave nueva para {auto} {placa}. Se borró la anterior. Pagó {costo}.
  | Vino por su llave. Se probaron las dos y el control. Folio {folio} cerrado.
1-3h x> Lista tu llave, {nombre}. Guarda el código en un lugar seguro.
  | Gracias por venir. {fin}

== factura | Posventa
e< Factura de la orden {orden} // {hola}:¶¶Solicito la factura de la orden {orden} del {auto}.
  Adjunto mi
  constancia de situación fiscal. Uso de CFDI: gastos en general. {firma_c} [pdf constancia.pdf]
  | Corrección de CFDI {folio} // Buen día:¶¶La factura {folio} salió con el código postal anterior.
  ¿Me ayudan a cancelarla y emitirla de nuevo? {firma_c} [pdf factura-{folio}.pdf]
  | Solicitud de XML // {hola}, me llegó solo el PDF de la factura {folio}; necesito el XML.
  {firma_c}
=e> // {holan}:¶¶Adjunto PDF y XML con los datos de tu constancia. {firma} [doc factura-{folio}.xml]
  [pdf factura-{folio}.pdf]
  | // {holan}:¶¶Listo, la anterior quedó cancelada y la nueva es la {factura}. {firma}
  [pdf factura-{factura}.pdf] [doc factura-{factura}.xml]
  | // {holan}:¶¶Aquí va el XML, una disculpa por la omisión. {firma} [doc factura-{folio}.xml]
1-20h e< // Recibido, {gracias_m}. {firma_c}
  | // Perfecto, ya lo aceptó contabilidad. {firma_c}
e> // {holan}:¶¶Con gusto. Quedo al pendiente. {firma}
  | // {holan}:¶¶Para servirte. {firma}

== pago | Financiamiento
x< {hola}, ¿me ayudas? Hoy quise pagar la mensualidad y la página no me deja
  | {hola}, ¿ya se refleja mi pago de {mensual}?
  | {hola}, quiero hacer un pago a capital, ¿cómo le hago?
?#20-70s x< [foto captura-error.jpg]
  | [pdf comprobante-pago-{folio}.pdf]
  | Serían unos {enganche}
x> {holan}, permíteme revisarlo con la financiera.
  | {holan}. Lo checo y te digo en un momento.
#6-45m x> El portal está en mantenimiento; paga por transferencia a la misma CLABE y hoy se refleja.
  | Ya quedó: tu pago aparece aplicado con folio {folio}.
  | Para capital hay que marcarlo como «abono extraordinario». Te mando la guía. [pdf
  guia-pagos.pdf]
x< ^ {gracias_m}, así le hago
  | ^ Uf, qué bueno. {gracias}
  | ¿Y me pueden mandar el estado de cuenta?
=x> {ok_s} {fin}
  | Para eso estamos. {fin}
  | {claro}. Además te llega a tu correo cada día 5. [pdf estado-cuenta-{folio}.pdf]

== liquidar | Financiamiento
e< Saldo para liquidar mi crédito // {hola}:¶¶Quiero saber cuánto debo para liquidar el crédito del
  {auto} a fin de mes. {firma_c}
  | Carta de no adeudo // {hola}, {asesor}:¶¶Terminé de pagar el {auto}. ¿Cómo obtengo la carta y la
  factura original? {firma_c}
#e> // {holan}:¶¶El saldo al {fin_mes} es de {toma}. Adjunto la carta con la referencia de pago;
  vence
  en cinco días. {firma} [pdf saldo-{folio}.pdf]
  | // {holan}:¶¶¡Felicidades! La carta tarda {dias} días y la factura se endosa en {sucursal}.
  {firma}
2-30h l> answered 120-420
#1-3d e< // Hecho, adjunto el comprobante. ¿Cuándo paso por mis papeles? {firma_c} [pdf
  spei-{folio}.pdf]
  | // Quedo en espera. ¿Puede recogerla mi esposo con carta poder? {firma_c}
#e> // {holan}:¶¶Confirmado el pago. Tus documentos estarán el {fecha}. {firma}
  | // {holan}:¶¶Puede pasar desde el {fecha}, con carta poder simple e identificaciones. {firma}
4-6d v< Entrega de factura endosada y carta de no adeudo, folio {folio}. Firma de recibido.
  | Recogió documentos del {auto}. Preguntó por el {modelo}; se avisa a Ventas.
1-4h x> ¡Felicidades, tu {auto} es totalmente tuyo! 🎉 {fin}
  | Gracias por tu puntualidad, {nombre}. {fin}

== poliza | Posventa
?x> ! {holan}, tu póliza del {auto} vence el {fecha}. ¿Te mando la renovación por aquí?
  | ! {holan}, ya tengo la renovación de tu póliza del {auto}. ¿Por aquí te la comparto?
&3-30m s> Colibrí: no pudimos escribirte por WhatsApp. Tu póliza vence el {fecha}, te marcamos hoy.
  | Colibrí Posventa: {nombre}, tu póliza del {auto} vence el {fecha}. Llama al {telefono}.
20-40m l> {contesta} 60-240
1-8m x> {holan}, te marqué porque tu póliza del {auto} vence el {fecha}. Tengo la renovación en
  {costo}.
  | {holan}: tu garantía extendida termina el {fecha}. Renovarla cuesta {costo} por un año.
1-9h x< ¿Es la misma cobertura?
  | Está más cara que el año pasado, ¿no?
  | Mándame la cotización con otra aseguradora también
=x> Misma cobertura amplia, y agregué auto sustituto.
  | Subió 4 %; con pago anual se queda igual.
  | Claro, aquí va la comparación. [pdf comparativo-seguros-{folio}.pdf]
x< {ok}, renuévala
  | Déjame pensarlo, tengo hasta el {fecha}, ¿verdad?
=x> Hecho. Te llega la póliza por correo. {fin}
  | Así es. Te recuerdo dos días antes.
?5-40m e> Póliza renovada {folio} // {holan}:¶¶Adjunto tu póliza con {aseguradora}. Guarda el
  teléfono de
  cabina. {firma} [pdf poliza-{folio}.pdf]
  | Tu póliza {folio} del {auto} // {holan}:¶¶Va la carátula y el recibo de pago. {firma}
  [pdf caratula-{folio}.pdf] [pdf recibo-{folio}.pdf]

== cortesia | Posventa
l> no_answer 0
3-12m L> Le llamé desde mi celular porque no contestó al fijo. Todo bien con el {auto}, piensa
  cambiarlo
  en un año. Siguiente paso: pasar dato a Ventas.
  | Llamada de seguimiento: muy a gusto con el {auto}, pide recordatorio del servicio de {kms} km.
  | Seguimiento semestral. Se mudó; actualizar domicilio en expediente.
2-20m x> {holan}, gracias por atender la llamada. Te comparto el manual rápido. [pdf
  manual-{auto}.pdf]
  | {nombre}, cualquier cosa con tu {auto} me escribes por aquí. {fin}
?x< Gracias por estar al pendiente
  | Muy amable 👍
&x> Es un gusto, {nombre}.
  | Siempre. {fin}

== accesorios | Ventas
x< {hola}, ¿tienen tapetes de uso rudo para {auto}?
  | {hola}, ¿cuánto cuestan las barras portaequipaje del {auto}?
  | ¿Manejan cámara de reversa para el {auto}?
x> {holan}, sí: {costo} instalado. ¿Te lo dejo listo en tu próxima visita?
  | Hay en existencia, {costo}. La instalación tarda una hora.
  | Los tengo originales en {costo}. [foto accesorio-{folio}.jpg]
x< ¿Con meses sin intereses?
  | Va, ¿paso el sábado?
  | ¿Es original?
=x> A 6 meses sin intereses con tarjetas participantes.
  | El sábado hasta las 14:00. {fin}
  | Sí, con número de parte de la marca. {fin}

== historia | Ventas | campaña
i< Respondió a tu historia: 😍 ¿precio?
  | Respondió a tu historia: ¿ese es el {modelo}?
  | 🔥🔥 ¿en cuánto sale ese color?
  | Vi el reel, ¿el {modelo} jala bien en carretera?
i> ¡Hola! 🙌 Es el {modelo} {version} en {color}, desde {precio}. ¿Te gustaría manejarlo?
  | ¡Hola, {nombre}! Ese es el {modelo}. {precio} y lo puedes estrenar esta semana.
i< jajaja me encanta, pero primero tengo que vender el mío
  | ¿Lo tienen en {sucursal}?
  | ¿Y el de entrada cuánto?
=i> Te lo tomamos a cuenta 😉 Mándanos el modelo y año.
  | Sí, está en piso. ¿Te aparto una prueba?
  | El de entrada es el Brisa, desde {precio_entrada}.
?=10-300m i< Es un {auto}, {km} km
  | {ok} yo les aviso
  | Ah, no está tan lejos del otro
&=i> ¡Va! Lo valuamos sin compromiso.
  | Aquí andamos 💚
  | Y se nota la diferencia 😉

== boletin | Ventas | campaña
B> Este mes en Colibrí: bono de hasta $15,000 // {holan}:¶¶Estrena {modelo} desde {precio2} o trae
  tu
  {auto} y lo tomamos a cuenta. Promoción válida hasta el {fin_mes}.¶¶Si ya no quieres recibir
  estos correos, responde BAJA.
  | Cuida tu {auto} esta temporada // {holan}:¶¶Revisión de 30 puntos sin costo al agendar tu
  servicio de
  {kms} km. Vigente hasta el {fin_mes}.
  | Conoce el nuevo {modelo} // {holan}:¶¶Te invitamos a manejarlo en {sucursal}. Cupo limitado.
  | Tu auto y las lluvias: cinco consejos // {holan}:¶¶Llantas, frenos, plumas, luces y batería: te
  contamos qué revisar antes de salir a carretera.

== rebote | Ventas
b< Correo devuelto: buzón no encontrado // El mensaje «Este mes en Colibrí» no se pudo entregar. El
  servidor respondió: 550 5.1.1 usuario desconocido.
  | Undelivered Mail Returned to Sender // 552 5.2.2 Mailbox full. The message was not delivered.
1-3d l> answered 40-90
1-4m L> Le llamé porque su correo rebota. Dicta el nuevo y pide seguir por mensaje.
  | Correo devuelto; confirma que cambió de trabajo. Se actualiza el expediente.
"""
